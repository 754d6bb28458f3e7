import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Device } from "../device/Device.ts"
import type { CameraFeed } from "./Feed.ts"
import { PublishedFeed } from "./PublishedFeed.ts"
import { RelayedFeed } from "./RelayedFeed.ts"

/** The feeds of cameras' own streams. A new way to have frames is a shape of `Input`, a feed, and a line here. */
export class Feeds extends Context.Service<
  Feeds,
  {
    /** the one that the camera's input names */
    readonly of: (device: Device) => CameraFeed
  }
>()("camera-service/stream/Feeds") {
  static readonly layer = Layer.effect(
    Feeds,
    Effect.gen(function* () {
      const published = yield* PublishedFeed
      const relayed = yield* RelayedFeed
      return Feeds.of({
        of: (device) => {
          const { input } = device
          switch (input.feed) {
            case "published":
              return published.of({ ...device, input })
            case "relayed":
              return relayed.of({ ...device, input })
          }
        }
      })
    })
  )
}
