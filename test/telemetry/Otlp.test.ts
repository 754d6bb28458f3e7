import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import { layerWebCrypto } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { logOutcomes, tracesTo, signalUrl } from "../../src/telemetry/Otlp.ts"
import * as QuietMachine from "../../testing/QuietMachine.ts"
import { listening } from "../support/Log.ts"
import { collector } from "../support/OtlpCollector.ts"

class CameraLost extends Schema.TaggedError<CameraLost>()("CameraLost", {}) {}

const ground = (environment: Readonly<Record<string, string>>) =>
  Layer.mergeAll(QuietMachine.layer, layerWebCrypto, ConfigProvider.layer(ConfigProvider.fromEnv({ env: environment })))

/** Makes spans of one life of the exporter; all have come when it is over. */
const during = <A, E>(
  endpoint: string,
  work: Effect.Effect<A, E>,
  environment: Readonly<Record<string, string>> = {}
) => Effect.provide(work, tracesTo(endpoint).pipe(Layer.provide(ground(environment))))

interface Resources {
  readonly resourceSpans: ReadonlyArray<{
    readonly resource: { readonly attributes: ReadonlyArray<{ key: string; value: { stringValue: string } }> }
  }>
}
const resourceOf = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (JSON.parse(text) as Resources).resourceSpans[0]?.resource.attributes.map(({ key, value }) => [
      key,
      value.stringValue
    ]) ?? []
  )

describe("traces", () => {
  it("go to the signal's URL, whether it is told or a collector's", () => {
    for (const endpoint of ["http://c:4318", "http://c:4318/", "http://c:4318/v1/traces", "http://c:4318/v1/traces/"]) {
      assert.strictEqual(signalUrl(endpoint, "traces"), "http://c:4318/v1/traces")
    }
    assert.strictEqual(signalUrl("https://c/otlp", "traces"), "https://c/otlp/v1/traces")
  })

  it.live("say which instance of the service on which machine sends them", () =>
    Effect.gen(function* () {
      const { endpoint, text } = yield* collector
      yield* during(endpoint, Effect.withSpan(Effect.void, "one"))
      const resource = resourceOf(text())
      assert.strictEqual(resource["service.name"], "camera-service")
      assert.match(resource["service.instance.id"] ?? "", /^[0-9a-f-]{36}$/)
      assert.isNotEmpty(resource["host.name"])
      assert.isNotEmpty(resource["service.version"])
    })
  )

  it.live("say what OpenTelemetry's own variables say", () =>
    Effect.gen(function* () {
      const { endpoint, text } = yield* collector
      yield* during(endpoint, Effect.withSpan(Effect.void, "one"), {
        OTEL_SERVICE_NAME: "front-door",
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=lab%202,service.instance.id=seven,service.name=no"
      })
      assert.deepInclude(resourceOf(text()), {
        "service.name": "front-door",
        "service.instance.id": "seven",
        "deployment.environment.name": "lab 2"
      })
    })
  )

  it.live("say of a span that failed what it failed with", () =>
    Effect.gen(function* () {
      const { endpoint, spans } = yield* collector
      const failing = Effect.ignore(Effect.withSpan(Effect.fail(new CameraLost()), "failing"))
      const answered = Effect.annotateCurrentSpan("rpc.response.status_code", "-32010").pipe(
        Effect.andThen(Effect.fail(new CameraLost())),
        Effect.withSpan("answered"),
        Effect.ignore
      )
      yield* during(endpoint, Effect.all([failing, answered, Effect.withSpan(Effect.void, "well")]))
      const typeOf = (name: string) =>
        spans()
          .find((span) => span.name === name)
          ?.attributes.find(({ key }) => key === "error.type")?.value["stringValue"]
      assert.deepStrictEqual(["failing", "answered", "well"].map(typeOf), ["CameraLost", "-32010", undefined])
    })
  )

  it.live("that get nowhere are told of once, and not that they get there again with the first batch that does", () =>
    Effect.gen(function* () {
      let status = 400
      const asked = yield* Queue.unbounded<number>()
      const server = createServer((request, response) => {
        request.resume().on("end", () => {
          response.writeHead(status, { "content-type": "application/json" }).end("{}")
          Queue.offerUnsafe(asked, status)
        })
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.sync(() => (server.close(), server.closeAllConnections()))
      )
      const lines: Array<string> = []
      const told = yield* Queue.unbounded<string>()
      const logger = Logger.make<unknown, void>(({ message }) => {
        const line = String(Array.isArray(message) ? message[0] : message)
        lines.push(line)
        Queue.offerUnsafe(told, line)
      })
      const span = Effect.withSpan(Effect.void, "one")
      /** until a batch was answered so */
      const batch = (wanted: number) =>
        Effect.andThen(span, Queue.take(asked).pipe(Effect.repeat({ until: (was) => was === wanted })))
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      yield* during(
        url,
        Effect.gen(function* () {
          yield* batch(400)
          assert.include(yield* Queue.take(told), `traces do not get to ${url}/v1/traces`)
          yield* batch(400)
          yield* batch(400)
          status = 200
          yield* batch(200)
          yield* batch(200)
        })
      ).pipe(Effect.provide(Logger.layer([logger])))
      assert.lengthOf(lines, 1)
    })
  )

  it.effect("of which every other batch is lost are told of once, and once more when none is lost any more", () =>
    Effect.gen(function* () {
      const { layer, lines } = listening()
      const outcomes = yield* Queue.unbounded<string | undefined>()
      yield* Effect.forkScoped(Effect.provide(logOutcomes(outcomes, "http://c"), layer), { startImmediately: true })
      const batch = (outcome: string | undefined) =>
        Effect.andThen(Queue.offer(outcomes, outcome), TestClock.adjust("1 second"))
      for (let n = 0; n < 1000; n++) yield* batch(n % 2 === 0 ? "status 503" : undefined)
      assert.deepEqual(
        lines.map(({ message, reason }) => [message, reason]),
        [["traces do not get to http://c: they are lost until it answers", "status 503"]]
      )
      for (let n = 0; n < 70; n++) yield* batch(undefined)
      assert.strictEqual(lines[1]?.message, "traces get to http://c again")
      yield* batch("status 503")
      assert.lengthOf(lines, 3)
    })
  )
})
