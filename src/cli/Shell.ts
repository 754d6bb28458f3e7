import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { basename, dirname, join, resolve } from "node:path"
import { CameraId } from "../../schema/Camera.ts"
import type { Origin } from "../config/Load.ts"
import { Disk } from "../ground/Disk.ts"
import { atShell } from "./AtShell.ts"
import { BadUsage } from "./BadUsage.ts"
import { CallFailed } from "./CallFailed.ts"
import type { Print } from "./Output.ts"
import { connect, type Place } from "./Remote.ts"
import { sizeText, table } from "./Table.ts"

/*
 * What people do at a shell, over the same client as everybody's: for people in tables, for programs in JSON, as the service
 * has said it.
 */

export interface Request {
  readonly place: Place
  readonly isJson: boolean
  /** of the terminal, where there is one */
  readonly width: number | undefined
  readonly print: Print
  /** says it aside */
  readonly tell: (words: string) => Effect.Effect<void>
}

/** A refusal is told in the service's own words, with the commands of here. */
export const told = <A, E extends { readonly message: string }, R>(call: Effect.Effect<A, E, R>) =>
  Effect.mapError(call, ({ message }) => new CallFailed({ detail: atShell(message) }))

export const linesOf = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`

export const cameras = Effect.fnUntraced(function* ({ isJson, place, print, width }: Request, from: Origin) {
  const { call } = yield* connect(place, "viewer", from)
  const found = yield* told(call.get_camera_list({}))
  if (isJson) return yield* print(linesOf(found))
  if (found.cameras.length === 0) {
    return yield* print("no camera was found yet: plug one in, or ask camera-service doctor\n")
  }
  const rows = found.cameras.map(({ device, fault, fps, name, resolution, status }) => [
    device,
    fault === undefined ? status : fault.kind,
    resolution,
    String(fps),
    name
  ])
  yield* print(table(["CAMERA", "STATUS", "SIZE", "FPS", "NAME"], rows, width))
}, Effect.scoped)

/** A `download_url` is good for 10 minutes, and ends with the token that asked for it. */
const linksLast = "11m"

export const recordings = Effect.fnUntraced(function* ({ isJson, place, print, width }: Request, from: Origin) {
  const { call } = yield* connect(place, "viewer", from, linksLast)
  const found = yield* told(call.list_recordings({}))
  if (isJson) return yield* print(linesOf(found))
  if (found.files.length === 0) return yield* print("nothing is recorded yet\n")
  const rows = found.files.map(({ device, file_size, filename, modified_time }) => [
    modified_time,
    device,
    sizeText(file_size),
    filename
  ])
  yield* print(table(["WHEN", "CAMERA", "SIZE", "FILE"], rows, width))
  if (found.total > found.files.length) yield* print(`the newest ${found.files.length} of ${found.total}\n`)
}, Effect.scoped)

/** In place of a file: standard output. */
const standard = "-"

/** `output`: where the picture goes on this machine, in the place of what is there; a name that ends in `.png` asks for one. */
export const snapshot = Effect.fnUntraced(function* (
  { device, output }: { readonly device: string; readonly output: string | undefined },
  { isJson, place, print, tell }: Request,
  from: Origin
) {
  const camera = yield* cameraIn(device)
  const { call, origin } = yield* connect(place, "operator", from)
  const isPng = output !== undefined && /\.png$/i.test(output)
  const taken = yield* told(call.take_snapshot({ device: camera, ...(isPng ? { format: "png" as const } : {}) }))
  if (output !== undefined) {
    const { download_url } = yield* told(call.get_download_url({ filename: taken.filename }))
    const picture = yield* download(calledAt(download_url, origin))
    yield* output === standard ? print(picture) : put(resolve(output), picture)
  }
  if (isJson && output !== standard) return yield* print(linesOf(taken))
  const { age_ms, capture_ms, file_size, filename, height, tier_name, width } = taken
  const about = `${width}x${height}, ${sizeText(file_size)}, ${tier_name}, ${Math.round(age_ms)} ms old, after ${Math.round(capture_ms)} ms`
  if (output === standard) return yield* tell(`${filename}  (${about})`)
  yield* print(`${output ?? filename}  (${about})\n`)
}, Effect.scoped)

/** The camera that is named; what else is is refused before anybody is asked. */
export const cameraIn = (text: string) =>
  Effect.mapError(
    Schema.decodeEffect(CameraId)(text),
    () =>
      new BadUsage({ detail: `${text} is no camera: must be one that camera-service cameras names, such as camera0` })
  )

/** The same at the service that was called: a URL names the host by which others know it. */
const calledAt = (url: string, origin: string): string => {
  const { pathname, search } = new URL(url)
  return `${origin}${pathname}${search}`
}

const download = (url: string) =>
  Effect.tryPromise({
    try: async () => {
      const reply = await fetch(url)
      if (!reply.ok) throw new Error(`status ${reply.status}`)
      return new Uint8Array(await reply.arrayBuffer())
    },
    catch: (cause) => new CallFailed({ detail: `the picture could not be fetched: ${String(cause)}` })
  })

/**
 * Written aside, then in the place of what has the name: nobody sees half a picture. A picture may be of what not everybody is
 * to see: a new file is its owner's alone, one in the place of another has that one's rights.
 */
const put = Effect.fnUntraced(
  function* (file: string, bytes: Uint8Array) {
    const disk = yield* Disk
    const { mode } = yield* Effect.orElseSucceed(disk.rights(file), () => ({ mode: 0o600 }))
    const aside = join(dirname(file), `.${basename(file)}.part`)
    yield* disk.create(aside, mode).pipe(
      Effect.flatMap(({ append }) => append(bytes)),
      Effect.scoped,
      Effect.andThen(disk.rename(aside, file)),
      Effect.onError(() => Effect.ignore(disk.remove(aside)))
    )
  },
  (writing, file) =>
    Effect.mapError(writing, ({ code }) => new CallFailed({ detail: `${file} cannot be written (${code})` }))
)
