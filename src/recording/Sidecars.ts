import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { join } from "node:path"
import type { CameraId } from "../../schema/Camera.ts"
import type { Disk } from "../ground/Disk.ts"
import type { OpenFile } from "../ground/OpenFile.ts"
import { moments } from "../ground/Time.ts"
import type { FileIndex } from "../storage/FileIndex.ts"
import { parseFileName, sidecarOf } from "../storage/Names.ts"
import type { CameraTelemetry, TelemetryFact } from "../stream/CameraTelemetry.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"

/** MediaMTX's file is heard of later than it began, and what was told meanwhile belongs to it. */
const patience = Duration.seconds(1)
/** Of what was written a power cut costs the last of these: each sync has an SD card stop for 100 ms. */
const syncEvery = 5
/** 20 seconds of what a camera tells, which wait for a file. */
const mostWaiting = 100
/** MediaMTX has a packet a little later than we do. */
const earlier = 50
/** A file's name that tells of an earlier beginning is wrong: the clock was set. */
const longestBeginning = 10_000

/** A file of the recording that is written. */
interface Written {
  readonly filename: string
  /** monotonic milliseconds: a clock that is set moves nothing */
  readonly startedAt: number
  /** `broken`: the disk has taken something no more, and gets nothing more of it */
  sidecar: Open | "broken" | undefined
}

interface Open {
  readonly file: OpenFile
  readonly scope: Scope.Closeable
  bytes: number
  /** seconds, each time more: what is read is asked for by them */
  last: number
  unsynced: number
  /** its name is on the disk, too */
  isNamed: boolean
}

/** What one recording's files have beside them. */
export interface Sidecar {
  /** what the camera tells from this file's beginning on belongs to it */
  readonly began: (filename: string) => void
  /** returns when all of it is on the disk, as far as the disk takes it */
  readonly end: (filename: string) => Effect.Effect<void>
}

/**
 * Writes what cameras tell beside their recordings: a line for each (JSON) with `t`, its seconds since the file began. Gives
 * what follows a camera for as long as the scope lives.
 */
export const makeSidecars = Effect.fnUntraced(function* (
  disk: Disk["Service"],
  folder: string,
  index: FileIndex["Service"],
  telemetry: CameraTelemetry["Service"]
) {
  const followers = new Map<CameraId, (fact: TelemetryFact) => Effect.Effect<void>>()
  yield* telemetry.facts.follow((fact) => followers.get(fact.camera)?.(fact) ?? Effect.void)
  const now = yield* moments

  const create = Effect.fnUntraced(function* (filename: string, life: Scope.Scope) {
    const scope = yield* Scope.fork(life)
    const file = yield* Scope.provide(disk.create(join(folder, sidecarOf(filename)), 0o640), scope).pipe(
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
    return { file, scope, bytes: 0, last: -0.001, unsynced: 0, isNamed: false } satisfies Open as Open
  })

  return Effect.fnUntraced(function* (camera: CameraId) {
    const life = yield* Effect.scope
    const oneWrites = yield* Semaphore.make(1)
    const awake = yield* Queue.sliding<void>(1)
    const taking = makeTrouble()
    let waiting: ReadonlyArray<TelemetryFact> = []
    let files: ReadonlyArray<Written> = []

    const ownerOf = ({ heardAt }: TelemetryFact) =>
      files.findLast(({ startedAt }) => startedAt <= heardAt.monotonic + earlier)

    const hear = (fact: TelemetryFact) =>
      Effect.suspend(() => {
        const dropped = waiting.length === mostWaiting ? waiting[0] : undefined
        waiting = [...waiting.slice(1 - mostWaiting), fact]
        if (files.length > 0) Queue.offerUnsafe(awake, undefined)
        if (dropped === undefined || ownerOf(dropped) === undefined) return Effect.void
        const words = "the disk does not take what a camera tells beside its recording: the oldest of it is lost"
        return taking.began(words, { "camera.id": camera })
      })
    yield* Effect.acquireRelease(
      Effect.sync(() => followers.set(camera, hear)),
      () => Effect.sync(() => (followers.get(camera) === hear ? followers.delete(camera) : false))
    )

    /** Lines of one file; after a failure there are no more of it. */
    const write = Effect.fnUntraced(function* (written: Written, facts: ReadonlyArray<TelemetryFact>) {
      if (written.sidecar === "broken" || facts.length === 0) return
      const open = written.sidecar ?? (yield* create(written.filename, life))
      written.sidecar = open
      const lines = facts.map(({ heardAt, telemetry }) => {
        const offset = Math.round(heardAt.monotonic - written.startedAt)
        open.last = Math.max(Math.round(open.last * 1000) + 1, offset) / 1000
        return `${JSON.stringify({ t: open.last, ...telemetry })}\n`
      })
      const bytes = new TextEncoder().encode(lines.join(""))
      yield* open.file.append(bytes)
      open.bytes += bytes.length
      if (++open.unsynced < syncEvery) return
      open.unsynced = 0
      yield* open.file.sync
      if (open.isNamed) return
      yield* disk.sync(folder)
      open.isNamed = true
    }, orBreak)

    /** What came until then, into the files that it belongs to; what is older than all of them is nobody's. */
    const flush = Effect.fnUntraced(function* (until: number) {
      const due = waiting.filter(({ heardAt }) => heardAt.monotonic <= until)
      waiting = waiting.filter(({ heardAt }) => heardAt.monotonic > until)
      const owners = due.map(ownerOf)
      for (const written of files) {
        const mine = due.filter((_, i) => owners[i] === written)
        yield* write(written, mine)
      }
      yield* taking.isOver()
    })

    const flushNext = Queue.take(awake).pipe(
      Effect.andThen(Effect.sleep(patience)),
      Effect.andThen(oneWrites.withPermit(Effect.suspend(() => flush(now().monotonic - Duration.toMillis(patience)))))
    )
    yield* Effect.forkScoped(Effect.forever(flushNext))

    const close = Effect.fnUntraced(function* (written: Written) {
      const { filename, sidecar } = written
      if (typeof sidecar !== "object") return
      yield* sidecar.file.sync.pipe(
        Effect.catch((error) =>
          Effect.logWarning("what belongs to a recording may not outlive a power cut", { filename }, error.cause)
        ),
        Effect.ensuring(Scope.close(sidecar.scope, Exit.void))
      )
      yield* index.putBeside(filename, sidecar.bytes)
    })

    const sidecar: Sidecar = {
      began: (filename) => {
        const { monotonic, wall } = now()
        const age = wall - (parseFileName(filename)?.startedAt ?? wall)
        const startedAt = monotonic - Math.min(Math.max(age, 0), longestBeginning)
        files = [...files, { filename, startedAt, sidecar: undefined }]
      },
      end: Effect.fnUntraced(function* (filename) {
        const written = files.find((file) => file.filename === filename)
        if (written === undefined) return
        yield* flush(now().monotonic)
        files = files.filter((file) => file !== written)
        yield* close(written)
      }, oneWrites.withPermit)
    }
    return sidecar
  })
})

/** The recording itself goes on. */
const orBreak = <E extends { readonly cause?: unknown }>(
  writing: Effect.Effect<void, E>,
  written: Written
): Effect.Effect<void> =>
  writing.pipe(
    Effect.catch(({ cause }) => {
      const { filename, sidecar } = written
      written.sidecar = "broken"
      const closed = typeof sidecar === "object" ? Scope.close(sidecar.scope, Exit.void) : Effect.void
      const warning = Effect.logWarning(
        "what a camera tells is no longer kept beside its recording",
        { filename },
        cause
      )
      return Effect.andThen(closed, warning)
    })
  )
