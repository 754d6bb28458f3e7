import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeJwt } from "jose/jwt/decode"
import { record } from "../../src/cli/Record.ts"
import * as Shell from "../../src/cli/Shell.ts"
import { watch } from "../../src/cli/Watch.ts"
import { StandardFolders } from "../../src/storage/DataFolder.ts"
import { realGround } from "../support/Ground.ts"
import { otherEnd } from "./OtherEnd.ts"

/** To whatever it is asked: nobody who comes may do anything. */
const mayNothing = {
  error: { code: -32002, message: "Permission Denied", data: { required_role: "admin", have_role: "viewer" } }
}

describe("a command of the shell", () => {
  it.live("shows a token that may no more than the command needs", () =>
    Effect.gen(function* () {
      const { from, request, tokens } = yield* otherEnd(() => mayNothing)
      for (const command of [
        Shell.cameras(request, from),
        Shell.recordings(request, from),
        watch(request, from),
        Shell.snapshot({ device: "camera0", output: undefined }, request, from),
        record({ device: "camera0", time: "1s" }, request, from)
      ]) {
        assert.include((yield* Effect.flip(command)).message, "This needs the role")
      }
      const claims = tokens.map((token) => decodeJwt(token))
      assert.deepStrictEqual(
        claims.map(({ role }) => role),
        ["viewer", "viewer", "viewer", "operator", "operator"]
      )
      // the links to recordings end with it
      assert.deepStrictEqual(
        claims.map(({ exp = 0, iat = 0 }) => exp - iat),
        [60, 660, 60, 60, 60]
      )
    }).pipe(Effect.scoped, Effect.provideService(StandardFolders, []), Effect.provide(realGround))
  )
})
