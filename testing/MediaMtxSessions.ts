import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { monotonicMillis, now as moment } from "../src/ground/Time.ts"
import type { PathOptions } from "../src/process/MediaMtxReplies.ts"
import { change, type Question, type Run } from "./MediaMtxRun.ts"
import type { Outside } from "./MemoryDisk.ts"
import type { Ports } from "./MemoryLoopback.ts"
import { makeRecorder } from "./Recorder.ts"

/** Somebody who comes to publish: a process, and the address that it was given. */
export interface Publisher {
  readonly pid: number
  readonly url: string
  /** what its H.264 says of itself before its first keyframe (base64); undefined: nothing */
  readonly sps?: string | undefined
}

/** Somebody who publishes. */
export interface Publication {
  /** more frames come, whose H.264 says this of itself; false when MediaMTX has cut the connection */
  readonly frames: (sps: string | undefined) => Effect.Effect<boolean>
}

/** Who reads and publishes over RTSP. */
export interface Sessions {
  /**
   * reads as long as the scope lives, once somebody publishes: tells whether there is still something to read; fails as
   * `publish` does
   */
  readonly read: (
    reader: Pick<Publisher, "pid" | "url">
  ) => Effect.Effect<() => boolean, { readonly status: number }, Scope.Scope>
  /** publishes as long as the scope lives; fails with the RTSP status, 0 where nobody listens */
  readonly publish: (publisher: Publisher) => Effect.Effect<Publication, { readonly status: number }, Scope.Scope>
}

/** `running`: the run of MediaMTX that there is; `handshake`: takes the time from an ANNOUNCE to its RECORD */
export const makeSessions = (
  ports: Ports["Service"],
  outside: Pick<Outside, "create">,
  running: () => Run | undefined,
  handshake: Effect.Effect<void>,
  isAllowed: (now: Run, question: Question) => Effect.Effect<boolean>
): Sessions => {
  let sessions = 0

  const here = Effect.suspend(() => {
    const now = running()
    return now === undefined ? Effect.fail({ status: 0 }) : Effect.succeed(now)
  })

  /** A connection of RTSP, and its session, as long as the scope lives. */
  const connect = Effect.fnUntraced(function* (now: Run, pid: number, address: string) {
    const port = yield* Effect.mapError(ports.connect(pid, now.rtspPort), () => ({ status: 0 }))
    const { password, pathname, search, searchParams, username } = new URL(address)
    const path = pathname.slice(1)
    const [session, connection] = [`session-${sessions}`, `connection-${sessions++}`]
    now.sessions.set(session, `127.0.0.1:${port}`)
    now.connections.set(connection, `127.0.0.1:${port}`)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        now.sessions.delete(session)
        now.connections.delete(connection)
      })
    )
    const token = password || (searchParams.get("token") ?? "")
    const shown = { user: username, password, token, path, query: search.slice(1), protocol: "rtsp" }
    const ask = (action: "publish" | "read", id: string) =>
      Effect.flatMap(isAllowed(now, { ...shown, action, id }), (isYes) =>
        isYes ? Effect.void : Effect.fail({ status: 401 })
      )
    return { path, session, connection, ask }
  })

  const read: Sessions["read"] = Effect.fnUntraced(function* ({ pid, url }) {
    const now = yield* here
    const { ask, connection, path, session } = yield* connect(now, pid, url)
    // DESCRIBE, which waits for a publisher, and SETUP
    yield* ask("read", connection)
    const isThere = () => running() === now && now.live.get(path)?.ready === true
    yield* Effect.repeat(Effect.delay(Effect.sync(isThere), "50 millis"), { until: (is) => is })
    yield* ask("read", session)
    const count = (by: 1 | -1) => change(now, path, { readers: (now.live.get(path)?.readers ?? 0) + by })
    yield* Effect.acquireRelease(count(1), () => (running() === now ? count(-1) : Effect.void))
    return isThere
  })

  const publish: Sessions["publish"] = Effect.fnUntraced(function* ({ pid, sps, url }) {
    const now = yield* here
    const { ask, path, session } = yield* connect(now, pid, url)
    if (now.paths.options(path) === undefined) return yield* Effect.fail({ status: 400 })
    const announced = JSON.stringify(now.paths.options(path))
    yield* ask("publish", session)
    yield* handshake
    // "configuration has changed" (its `internal/core/path_manager.go`)
    if (JSON.stringify(now.paths.options(path)) !== announced) return yield* Effect.fail({ status: 400 })
    if (now.live.get(path)?.ready === true) return yield* Effect.fail({ status: 400 })
    const taken = withoutRecorder(now.paths.options(path))
    const recorder = makeRecorder(path, outside, now.say)
    yield* Effect.acquireRelease(change(now, path, { ready: true, recorder, sps }), () =>
      Effect.gen(function* () {
        // a MediaMTX that was killed closes no file
        if (running() !== now) return
        recorder.close(yield* monotonicMillis)
        // who reads over HTTP reads a stream, which is over
        for (const [id, reader] of now.readers) if (reader.path === path) now.readers.delete(id)
        if (now.live.has(path)) yield* change(now, path, { ready: false, recorder: undefined })
      })
    )
    const frames = Effect.fnUntraced(function* (sps: string | undefined) {
      const options = now.paths.options(path)
      if (running() !== now || options === undefined || withoutRecorder(options) !== taken) return false
      yield* change(now, path, { sps })
      recorder.look(options, yield* moment)
      return true
    })
    return { frames }
  })

  return { read, publish }
}

/** A path is closed when one of these is another (its `internal/core/path_manager.go`). */
const withoutRecorder = (options: PathOptions = {}): string =>
  JSON.stringify(
    Object.entries(options)
      .filter(([key]) => !key.startsWith("record"))
      .sort()
  )
