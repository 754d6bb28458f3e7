import * as Effect from "effect/Effect"
import { ExternalRpcs } from "../../schema/CameraRpcs.ts"
import { Unsupported } from "../../schema/Errors.ts"

const unsupported = () =>
  Effect.fail(
    new Unsupported({
      feature: "external_streams",
      reason: "this version reads cameras of this machine only",
      suggestion: "get_camera_list tells which there are"
    })
  )

/** Streams from the network: this version has none. */
export const layer = ExternalRpcs.toLayer({
  discover_external_streams: unsupported,
  add_external_stream: unsupported,
  remove_external_stream: unsupported,
  get_external_streams: unsupported,
  set_discovery_interval: unsupported
})
