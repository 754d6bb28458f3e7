import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type { Connection } from "../ground/Tcp.ts"
import { monotonicNow } from "../ground/Time.ts"
import { Reception } from "../media/Reception.ts"
import type { Track } from "./Session.ts"

/** Milliseconds from one report to the next, by chance half of it more or less (RFC 3550, 6.2 and 6.3.1). */
const interval = 5000
/** Who does not take reports gets no more. */
const maxUnsent = 4096

/** What a camera is told of how its packets arrive: some end sessions that they hear nothing from. */
export interface Reports {
  /** what has come on a channel, from `start` to `end` without the head of its frame */
  readonly heard: (channel: number, bytes: Buffer, start: number, end: number) => void
  /** tells of these tracks from now on, as long as the scope lives */
  readonly begin: (connection: Connection, tracks: ReadonlyArray<Track>) => Effect.Effect<void, never, Scope.Scope>
}

export const makeReports = Effect.gen(function* () {
  const millis = yield* monotonicNow
  /** one of ours for this session alone (RFC 7022, 4.2) */
  const receiver = yield* Random.nextIntBetween(1, 0xffff_ffff)
  const name = `${receiver.toString(16)}@camera-service`
  /** by the channel of their packets; their RTCP is on the next one */
  const receptions = new Map<number, Reception>()

  const tell = (connection: Connection): void => {
    for (const [channel, reception] of receptions) {
      const report = connection.unsent() > maxUnsent ? undefined : reception.report(receiver, name, millis())
      if (report === undefined) continue
      const head = Uint8Array.from([0x24, channel + 1, report.length >> 8, report.length & 0xff])
      connection.send(Buffer.concat([head, report]))
    }
  }

  const reports: Reports = {
    heard: (channel, bytes, start, end) => {
      const reception = receptions.get(channel)
      if (reception !== undefined) reception.packet(bytes, start, end, millis())
      else receptions.get(channel - 1)?.control(bytes, start, end, millis())
    },
    begin: (connection, tracks) => {
      for (const { channel, media } of tracks) receptions.set(channel, new Reception(media.clockRate))
      return Random.nextBetween(interval / 2, interval * 1.5).pipe(
        Effect.flatMap((pause) => Effect.sleep(pause)),
        Effect.andThen(Effect.sync(() => tell(connection))),
        Effect.forever,
        Effect.forkScoped,
        Effect.asVoid
      )
    }
  }
  return reports
})
