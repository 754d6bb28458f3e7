import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { Certificate } from "../../src/config/Certificate.ts"
import { Disk } from "../../src/ground/Disk.ts"
import { Network } from "../../src/ground/Network.ts"
import { PublicHttp } from "../../src/http/PublicHttp.ts"
import { settingsWith } from "../storage/Workbench.ts"
import { ask } from "./Client.ts"

const running = PublicHttp.layer.pipe(
  Layer.provide(Certificate.layer),
  Layer.provide([settingsWith({ server: { host: "127.0.0.1", port: 0 } }), Network.layer, Layer.mock(Disk)({})])
)

describe("the public port", () => {
  it.live("says while the service starts and ends that it will be there, not that there is nothing", () =>
    Effect.gen(function* () {
      const { address, handle } = yield* PublicHttp
      const get = (path: string) => ask(address.port, path)
      const starting = yield* get("/whep/camera0")
      assert.deepStrictEqual([starting.status, starting.headers["retry-after"]], [503, "1"])
      assert.include(starting.body, "is starting")
      const life = yield* Scope.make()
      const page = { status: 200, headers: {}, body: "it is here" }
      yield* handle("/", () => Effect.succeed(page))
      yield* Scope.provide(
        handle("/whep/", () => Effect.succeed(page)),
        life
      )
      assert.strictEqual((yield* get("/whep/camera0")).body, "it is here")
      yield* Scope.close(life, Exit.void)
      const ending = yield* get("/whep/camera0")
      assert.deepStrictEqual([ending.status, ending.headers["retry-after"]], [503, "1"])
      assert.include(ending.body, "about to end")
      assert.strictEqual((yield* get("/other")).status, 200)
    }).pipe(Effect.scoped, Effect.provide(running))
  )
})
