import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import { Settings } from "../config/Settings.ts"
import { Encoders } from "../stream/Encoders.ts"
import { type Check, failure, ok, warning } from "./Check.ts"

/** What a service that runs knows by itself: what of its configuration is not in force, and what encodes. */
export const makeOwnChecks = Effect.gen(function* () {
  const { unapplied } = yield* Settings
  const { best } = yield* Encoders

  const lookAtConfiguration = Effect.map(Ref.get(unapplied), ({ ignored, refused, waiting }) => {
    if (refused.length > 0) {
      return failure(
        ["the file is refused, and would be at the next start:", ...refused].join("\n"),
        "put it right: camera-service config check FILE tells where"
      )
    }
    if (waiting.length > 0) {
      return warning(`these keys wait for the next start: ${waiting.join(", ")}`, "systemctl restart camera-service")
    }
    return ignored.length === 0
      ? ok("all of it is in force")
      : warning(ignored.join("\n"), "unset them, or write them as they are meant")
  })

  const lookAtEncoders = Effect.sync(() => {
    const { encoder, why } = best()
    return ok(`${encoder.name}: ${why}`)
  })

  return [
    { name: "configuration", look: lookAtConfiguration },
    { name: "encoders", look: lookAtEncoders }
  ] satisfies ReadonlyArray<Check>
})
