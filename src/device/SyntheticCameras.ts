import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../config/Settings.ts"
import { Disk } from "../ground/Disk.ts"
import type { Format } from "./Device.ts"
import { Devices } from "./Devices.ts"
import { syntheticInput } from "./SyntheticInput.ts"
import { fontFile } from "./TestPattern.ts"

/** What a synthetic camera delivers: the largest common size of level 3.0. */
const formats: ReadonlyArray<Format> = [{ pixelFormat: "RAW", sizes: [{ width: 640, height: 480, rates: [25] }] }]

/** Attaches `cameras.synthetic` cameras whose picture (a test pattern with a clock) FFmpeg makes. */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const { synthetic } = (yield* Settings).boot.cameras
    const devices = yield* Devices
    const looked = yield* devices.looking("synthetic")
    if (synthetic === 0) return yield* looked
    const font = yield* Effect.match((yield* Disk).state(fontFile), {
      onSuccess: () => "fontfile" as const,
      onFailure: () => "font" as const
    })
    for (let number = 0; number < synthetic; number++) {
      yield* devices.attach({
        input: syntheticInput(number, font),
        identity: { position: `synthetic:${number}` },
        name: `Synthetic camera ${number}`,
        formats
      })
    }
    yield* looked
  })
)
