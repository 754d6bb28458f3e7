import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import type { DependencyFailed } from "../../schema/Errors.ts"
import { telemetryFields, type TelemetryPoint } from "../../schema/Telemetry.ts"
import { Disk } from "../ground/Disk.ts"
import type { OpenFile } from "../ground/OpenFile.ts"
import { ifThere } from "../ground/DiskError.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import { sidecarOf } from "../storage/Names.ts"
import { attempt } from "../storage/StorageFailed.ts"

/** An excerpt of a recording, in seconds since its beginning; so many points of it at most. */
export interface Excerpt {
  readonly from: number
  readonly to: number
  readonly limit: number
}

export interface Points {
  readonly points: ReadonlyArray<TelemetryPoint>
  /** where those begin that `limit` left out; undefined: there are no more */
  readonly next: number | undefined
}

/** Read at once: some hundred lines. */
const piece = 64 * 1024
/** Longer than any line that is written. */
const maxLine = 16 * 1024
const lineEnd = 0x0a

/** What was told while a recording was made, from the file beside it. */
export class RecordedTelemetry extends Context.Service<
  RecordedTelemetry,
  {
    /** of a recording that there is; none where nothing was told, or its file is damaged there */
    readonly points: (recording: string, excerpt: Excerpt) => Effect.Effect<Points, DependencyFailed>
  }
>()("camera-service/recording/RecordedTelemetry") {
  static readonly layer = Layer.effect(
    RecordedTelemetry,
    Effect.gen(function* () {
      const { recordings: folder } = yield* DataFolder
      const disk = yield* Disk

      const points = Effect.fn("RecordedTelemetry.points")(function* (recording: string, excerpt: Excerpt) {
        const read = Effect.flatMap(disk.open(join(folder, sidecarOf(recording))), (file) => pointsIn(file, excerpt))
        const found = yield* Effect.scoped(attempt("read what belongs to a recording", ifThere(read)))
        return found ?? none
      })

      return RecordedTelemetry.of({ points })
    })
  )
}

const none: Points = { points: [], next: undefined }

const StoredPoint = Schema.fromJsonString(Schema.Struct({ t: Schema.Finite, ...telemetryFields }))
const decodePoint = Schema.decodeUnknownOption(StoredPoint)

/** The last line may have been cut off by a power cut; one that says nothing is passed over. */
const pointOf = (line: string): TelemetryPoint | undefined =>
  Option.getOrUndefined(Option.map(decodePoint(line), ({ t, ...telemetry }) => ({ offset: t, ...telemetry })))

/** By its beginning, as it is written; undefined: it is no line of ours. */
const offsetOf = (line: string): number | undefined => {
  const [, offset] = /^\{"t":(\d+(?:\.\d+)?),/.exec(line) ?? []
  return offset === undefined ? undefined : Number(offset)
}

const bytesAt = (file: OpenFile, position: number, length: number) =>
  Effect.map(file.read(position, length), (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))

/** Where a line begins that is no later than the first of `from`, and not many before it. */
const lineBefore = Effect.fnUntraced(function* (file: OpenFile, bytes: number, from: number) {
  let low = 0
  let high = bytes
  while (high - low > piece) {
    const middle = Math.floor((low + high) / 2)
    const read = yield* bytesAt(file, middle, 2 * maxLine)
    const line = read.indexOf(lineEnd) + 1
    const offset = line === 0 ? undefined : offsetOf(read.toString("latin1", line, line + 40))
    if (offset !== undefined && offset < from) low = middle + line
    else high = middle
  }
  return low
})

const pointsIn = Effect.fnUntraced(function* (file: OpenFile, { from, limit, to }: Excerpt) {
  const { bytes } = yield* file.state
  const points: Array<TelemetryPoint> = []
  let at = yield* lineBefore(file, bytes, from)
  // a file that somebody else has filled is not read to its end
  const end = Math.min(bytes, at + piece + limit * maxLine)
  while (at < end) {
    const read = yield* bytesAt(file, at, piece)
    const whole = read.lastIndexOf(lineEnd) + 1
    // a line without an end, which is none of ours
    if (whole === 0) break
    for (const line of read.toString("utf8", 0, whole).split("\n")) {
      const offset = offsetOf(line)
      if (offset === undefined || offset < from) continue
      if (offset > to) return { points, next: undefined }
      if (points.length === limit) return { points, next: offset }
      const point = pointOf(line)
      if (point !== undefined) points.push(point)
    }
    at += whole
  }
  return { points, next: undefined }
})
