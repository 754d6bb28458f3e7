import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { NoReply } from "../../src/ground/Loopback.ts"
import type { WebReply } from "../../src/ground/WebExchange.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { onFakes } from "../support/App.ts"
import { add, address, clientAs } from "./ExternalBench.ts"

/** As Node has it. */
const noTls =
  "write EPROTO 404D:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps:77:\n"

const page: WebReply = {
  status: 404,
  contentType: "text/html; charset=utf-8",
  challenges: [],
  body: new TextEncoder().encode("<!DOCTYPE html><p>Not found<br>")
}

/** Why this address is refused where that answers. */
const refusalOf = Effect.fnUntraced(function* (
  stream_url: string,
  port: number,
  answer: Effect.Effect<WebReply, NoReply>
) {
  const { neighbours } = yield* TestGround
  yield* neighbours.serve(address, port, () => answer)
  const { error } = yield* add(yield* clientAs("operator"), stream_url)
  assert.strictEqual(error?.code, -32050)
  return error?.data as { readonly reason: string; readonly detail: string; readonly suggestion: string }
})

const broken = (code: string, detail = code) => Effect.fail(new NoReply({ detail, code }))

describe("an address over HTTP that is no ONVIF camera's", () => {
  onFakes(
    "is told what was found there, and where to look",
    Effect.gen(function* () {
      const { detail, reason, suggestion } = yield* refusalOf(`http://${address}/`, 80, Effect.succeed(page))
      assert.strictEqual(reason, "PROTOCOL")
      assert.include(detail, "a web server answers there (status 404, text/html), and no ONVIF service")
      assert.include(suggestion, "/onvif/device_service")
      assert.include(suggestion, "rtsp://")
    })
  )

  onFakes(
    "is told so where something else than HTTP answers",
    Effect.gen(function* () {
      const { detail } = yield* refusalOf(`http://${address}:554/`, 554, broken("HPE_INVALID_CONSTANT"))
      assert.include(detail, "speaks no HTTP at this port")
      assert.notInclude(detail, "HPE")
    })
  )

  onFakes(
    "is told so where TLS is not spoken",
    Effect.gen(function* () {
      const { detail } = yield* refusalOf(`https://${address}:80/`, 80, broken("EPROTO", noTls))
      assert.include(detail, "speaks no TLS at this port")
    })
  )
})
