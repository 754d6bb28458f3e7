import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { CameraFaults } from "../../testing/FfmpegFaults.ts"
import type { Action } from "./Actions.ts"
import { deviceOf, oneOf, type World, type WorldCamera } from "./World.ts"

const some = (
  world: World,
  chance: () => number,
  run: (camera: WorldCamera) => Effect.Effect<void>
): Effect.Effect<void> => {
  const camera = oneOf(world.cameras, chance)
  return camera === undefined ? Effect.void : run(camera)
}

/** What an FFmpeg that reads the camera suffers from, and what it is like without that. */
const ffmpegFaults: ReadonlyArray<readonly [suffered: Partial<CameraFaults>, over: Partial<CameraFaults>]> = [
  [{ frozen: true }, { frozen: false }],
  [{ neverReady: true }, { neverReady: false }],
  [{ noPictures: true }, { noPictures: false }],
  [{ stubborn: true }, { stubborn: false }],
  [{ failStarts: 3 }, { failStarts: 0 }],
  [{ darkMillis: 3000 }, { darkMillis: 0 }],
  [{ direct: "hangs" }, { direct: undefined }],
  [{ direct: { error: "Invalid argument" } }, { direct: undefined }]
]

export const cameraActions: Readonly<Record<string, Action>> = {
  unplug: { weight: 4, run: (world, chance) => some(world, chance, ({ played }) => played.unplug) },

  plug: {
    weight: 8,
    run: (world, chance) => {
      const away = world.cameras.filter(({ played }) => played.path() === undefined)
      return oneOf(away, chance)?.played.replug() ?? Effect.void
    }
  },

  renumber: {
    weight: 2,
    run: (world, chance) =>
      some(world, chance, ({ played }) =>
        Effect.andThen(
          played.unplug,
          Effect.suspend(() => {
            const number = Math.floor(chance() * 8)
            return world.ground.cameras.at(`/dev/video${number}`) === undefined
              ? played.replug(number)
              : played.replug()
          })
        )
      )
  },

  "hang a camera": {
    weight: 1,
    run: (world, chance) =>
      some(world, chance, ({ key, played }) => Effect.andThen(played.hang, world.suffer(`hung ${key}`, played.revive)))
  },

  "forbid a camera": {
    weight: 1,
    run: (world, chance) =>
      some(world, chance, ({ key, played }) =>
        Effect.andThen(played.refuse, world.suffer(`forbidden ${key}`, played.allow))
      )
  },

  "occupy a camera": {
    weight: 1,
    run: (world, chance) =>
      some(
        world,
        chance,
        Effect.fnUntraced(function* ({ key, played }) {
          if (played.path() === undefined) return
          const scope = yield* Scope.make()
          yield* Scope.provide(played.occupy("cheese"), scope)
          yield* world.suffer(`busy ${key}`, Scope.close(scope, Exit.void))
        })
      )
  },

  "a camera's FFmpeg suffers": {
    weight: 6,
    run: (world, chance) =>
      some(world, chance, (camera) => {
        const [suffered, over] = oneOf(ffmpegFaults, chance) ?? [{}, {}]
        const id = deviceOf(world, camera)
        if (id === undefined) return Effect.void
        const name = `${id} ${Object.keys(suffered).join()}`
        return Effect.andThen(
          world.ground.ffmpeg.disturb(id, suffered),
          world.suffer(name, world.ground.ffmpeg.disturb(id, over))
        )
      })
  }
}
