import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { join } from "node:path"
import { CameraId } from "../../schema/Camera.ts"
import { DataFolder } from "../storage/DataFolder.ts"
import * as SmallFile from "../storage/SmallFile.ts"

const Stored = Schema.fromJsonString(Schema.Record(Schema.String, CameraId))

/** Which camera has which name, for good: a name once given belongs to its camera, across restarts and renumberings. */
export class CameraNames extends Context.Service<
  CameraNames,
  {
    /** the name of the camera with this identity; a new camera gets the lowest number never given */
    readonly nameFor: (identity: string) => Effect.Effect<CameraId>
  }
>()("camera-service/device/CameraNames") {
  static readonly layer = Layer.effect(
    CameraNames,
    Effect.gen(function* () {
      const folder = yield* DataFolder
      const file = join(folder.root, "cameras.json")
      const names = new Map(Object.entries(yield* readNames(file)))
      const lock = yield* Semaphore.make(1)

      const nameFor = Effect.fn("CameraNames.nameFor")(function* (identity: string) {
        const known = names.get(identity)
        if (known !== undefined) return known
        const taken = new Set(names.values())
        let number = 0
        while (taken.has(`camera${number}`)) number++
        const name = `camera${number}`
        names.set(identity, name)
        // a name that could not be written is still good for this run
        yield* SmallFile.write(file, `${JSON.stringify(Object.fromEntries(names), null, 2)}\n`, 0o600).pipe(
          Effect.catch((error) => Effect.logError("camera names could not be kept", error))
        )
        return name
      }, lock.withPermit)

      return CameraNames.of({ nameFor })
    })
  )
}

/** The names of earlier runs. A file that cannot be read is set aside, not overwritten: its names may be wanted back. */
const readNames = Effect.fnUntraced(function* (file: string) {
  const text = yield* SmallFile.read(file)
  if (Option.isNone(text)) return {}
  return yield* Schema.decodeEffect(Stored)(text.value).pipe(
    Effect.catch((error) =>
      Effect.logError("cameras.json is not readable; it is kept as cameras.json.bad, and names begin anew", error).pipe(
        Effect.andThen(SmallFile.write(`${file}.bad`, text.value, 0o600)),
        Effect.as({} as Readonly<Record<string, CameraId>>)
      )
    )
  )
})
