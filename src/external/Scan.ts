import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { urlAuthority } from "../config/Hosts.ts"
import { Tcp } from "../ground/Tcp.ts"
import { type Described, probe } from "../rtsp/Probe.ts"
import { ownAddress } from "./AddressRules.ts"
import { capabilitiesOf, carriedIn } from "./Carried.ts"
import type { SeenStream } from "./SeenStreams.ts"
import { Reach } from "./Reach.ts"
import type { Door, Plan } from "./ScanPlan.ts"
import { parseStreamUrl, type StreamUrl } from "./StreamUrl.ts"

/** What is told while it goes on. */
export interface Watching {
  /** by their URLs, streams that are known to be there: a camera that is watched is not asked beside, many serve one at a time */
  readonly online: ReadonlyMap<string, SeenStream>
  readonly found: (stream: SeenStream) => Effect.Effect<void>
  /** a door has been looked behind */
  readonly looked: Effect.Effect<void>
}

/** So many connections at once. */
const atOnce = 128
/** Who is there has let us in by then. */
const knockTime = "1 second"
/** And has said by then what its stream is. */
const answerTime = "3 seconds"
/** Milliseconds between the first knocks: all at once, and again a second later, would hold up everybody else. */
const stagger = 2
/** So many things that people should know are kept of one scan. */
const maxErrors = 32

/** Looks for RTSP streams where they may be. */
export class Scan extends Context.Service<
  Scan,
  {
    /**
     * Knocks at every door, and asks who opens what it streams; an open port alone is no stream. Gives what kept it from
     * looking, for people.
     */
    readonly run: (plan: Plan, watching: Watching) => Effect.Effect<ReadonlyArray<string>>
  }
>()("camera-service/external/Scan") {
  static readonly layer = Layer.effect(
    Scan,
    Effect.gen(function* () {
      const reach = yield* Reach
      const tcp = yield* Tcp

      /** Whether somebody lets us in; why not, where that is no answer of whom we knock at. */
      const knock = ({ port }: Door, address: string) =>
        tcp.connect({ address, port, isSecure: false }, { heard: () => undefined, ended: () => undefined }).pipe(
          Effect.scoped,
          Effect.as({ isOpen: true, why: undefined }),
          Effect.timeoutOrElse({
            duration: knockTime,
            orElse: () => Effect.succeed({ isOpen: false, why: undefined })
          }),
          Effect.catchTag("NotConnected", ({ code }) => Effect.succeed({ isOpen: false, why: obstacles[code] }))
        )

      const run = Effect.fn("Scan.run")(function* ({ doors, size }: Plan, { found, looked, online }: Watching) {
        const errors = new Set<string>()
        const tell = (error: string): void => {
          if (errors.size < maxErrors) errors.add(error)
        }

        const ask = Effect.fnUntraced(function* (door: Door, path: string) {
          const url = yield* Effect.fromResult(parseStreamUrl(`rtsp://${urlAuthority(door.address, door.port)}${path}`))
          const known = online.get(url.text)
          if (known !== undefined) return yield* found(known)
          const described = yield* Effect.timeoutOption(probe(tcp, yield* reach.target(url)), answerTime)
          if (described._tag === "Some") yield* found(seenAt(door, path, url, described.value))
        })

        const look = Effect.fnUntraced(
          function* (door: Door) {
            const address = yield* reach.addressOf({ host: door.address, port: door.port })
            const { isOpen, why } = yield* knock(door, address)
            if (why !== undefined) tell(`${networkOf(door.address)}: ${why}`)
            if (!isOpen) return
            for (const path of door.paths) {
              yield* ask(door, path).pipe(
                Effect.catchTag("RtspFailed", ({ kind }) =>
                  Effect.sync(() => {
                    if (kind === "AUTH_FAILED")
                      tell(`rtsp://${urlAuthority(door.address, door.port)}${path}: ${locked}`)
                  })
                )
              )
            }
          },
          (looking, { address }) =>
            looking.pipe(
              Effect.catchTag("AddressRefused", ({ why }) =>
                Effect.sync(() => {
                  // it is in every network that is looked through from within
                  if (why !== ownAddress) tell(`${address}: it is ${why}`)
                })
              ),
              // what is no URL is no stream, and what no name stands for is nobody's address
              Effect.catchTags({ InvalidParams: () => Effect.void, RtspFailed: () => Effect.void }),
              Effect.andThen(looked)
            )
        )

        const waiting = doors[Symbol.iterator]()
        const work = Effect.fnUntraced(function* (worker: number) {
          yield* Effect.sleep(worker * stagger)
          for (let next = waiting.next(); next.done !== true; next = waiting.next()) yield* look(next.value)
        })
        const workers = Array.from({ length: Math.min(atOnce, size) }, (_, worker) => worker)
        yield* Effect.forEach(workers, work, { concurrency: "unbounded", discard: true })
        return [...errors]
      })

      return Scan.of({ run })
    })
  )
}

const seenAt = ({ address, type }: Door, path: string, url: StreamUrl, described: Described): SeenStream => ({
  url,
  type,
  name: `${type === "generic_rtsp" ? "RTSP" : "Skydio"} ${address} ${path.slice(1)}`.trim().slice(0, 64),
  capabilities: capabilitiesOf(carriedIn(described))
})

const locked = "it wants a user and a password; add it with them"

/** What keeps us from knocking, by errno; that nobody opens (ECONNREFUSED, EHOSTUNREACH) is an answer. */
const obstacles: Readonly<Record<string, string>> = {
  ENETUNREACH: "this machine has no way there",
  EACCES: "this machine's rules let nobody go there",
  EPERM: "this machine's rules let nobody go there",
  EMFILE: "the service has too many files open to look everywhere",
  ENFILE: "the machine has too many files open to look everywhere",
  EADDRNOTAVAIL: "this machine has no port free to look everywhere"
}

const networkOf = (address: string): string => address.replace(/\d+$/, "0/24")
