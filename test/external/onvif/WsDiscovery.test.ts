import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { Settings } from "../../../src/config/Settings.ts"
import { nameIn } from "../../../src/external/onvif/ProbeMessages.ts"
import { type Answer, WsDiscovery } from "../../../src/external/onvif/WsDiscovery.ts"
import * as Metrics from "../../../src/telemetry/Metrics.ts"
import * as Chance from "../../../testing/Chance.ts"
import { asTimePasses } from "../../../testing/PassingTime.ts"
import { Neighbours, type SentBack } from "../../../testing/Neighbours.ts"
import { testSettings } from "../../support/TestSettings.ts"

const settings = testSettings({ discovery: { generic_ranges: ["172.16.3.0/24"] } })
const layer = WsDiscovery.layer.pipe(
  Layer.provideMerge(Neighbours.layer),
  Layer.provide([Chance.layer, Layer.succeed(Settings, settings)])
)

const messageIdIn = (probe: string) => /MessageID>([^<]+)</.exec(probe)?.[1] ?? ""

/** what a device says to this probe, in the words of a device that was recorded */
const match = (
  relatesTo: string,
  {
    address = "http://10.0.0.9/onvif/device_service",
    endpoint = "urn:uuid:cam",
    scopes = "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Front%20door",
    types = "dn:NetworkVideoTransmitter tds:Device"
  } = {}
) =>
  `<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Header><wsa:RelatesTo>${relatesTo}</wsa:RelatesTo></env:Header><env:Body><d:ProbeMatches><d:ProbeMatch><wsa:EndpointReference><wsa:Address>${endpoint}</wsa:Address></wsa:EndpointReference><d:Types>${types}</d:Types><d:Scopes>${scopes}</d:Scopes><d:XAddrs>${address}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></env:Body></env:Envelope>`

/** what WSDiscovery 2.0.0 says, a library in Python that plays cameras, byte by byte */
const matchOfWsDiscovery = (relatesTo: string) =>
  [
    '<?xml version="1.0" ?>',
    '<s:Envelope xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:ajzbdQwvbD="http://www.onvif.org/ver10/network/wsdl">',
    "\t<s:Header>",
    "\t\t<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action>",
    "\t\t<a:MessageID>urn:uuid:bb3fd7b1-4a97-4d46-ab07-661eb5c096d5</a:MessageID>",
    `\t\t<a:RelatesTo>${relatesTo}</a:RelatesTo>`,
    "\t\t<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>",
    '\t\t<d:AppSequence InstanceId="1790001839" MessageNumber="1"/>',
    "\t</s:Header>",
    "\t<s:Body>",
    "\t\t<d:ProbeMatches>",
    "\t\t\t<d:ProbeMatch>",
    "\t\t\t\t<a:EndpointReference>",
    "\t\t\t\t\t<a:Address>urn:uuid:222399c6-c2b6-41c0-8986-e8904537902c</a:Address>",
    "\t\t\t\t</a:EndpointReference>",
    "\t\t\t\t<d:Types>ajzbdQwvbD:NetworkVideoTransmitter</d:Types>",
    "\t\t\t\t<d:Scopes>onvif://www.onvif.org/name/Announced%20by%20others onvif://www.onvif.org/type/video_encoder</d:Scopes>",
    "\t\t\t\t<d:XAddrs>http://192.168.1.64:8080/onvif/announced</d:XAddrs>",
    "\t\t\t\t<d:MetadataVersion>1</d:MetadataVersion>",
    "\t\t\t</d:ProbeMatch>",
    "\t\t</d:ProbeMatches>",
    "\t</s:Body>",
    "</s:Envelope>",
    ""
  ].join("\n")

/** a search that lasts as long as it lasts, and the cameras of it with the milliseconds after which each was told */
const search = Effect.gen(function* () {
  const { search } = yield* WsDiscovery
  const found: Array<{ readonly answer: Answer; readonly after: number }> = []
  const begun = yield* Clock.currentTimeMillis
  const errors = yield* asTimePasses(
    search((answer) => Effect.map(Clock.currentTimeMillis, (now) => void found.push({ answer, after: now - begun })))
  )
  return { errors, found }
})

/** a machine that says this to the first probe that it hears, or to each */
const device = Effect.fnUntraced(function* (
  address: string,
  say: (messageId: string, probe: string) => ReadonlyArray<SentBack>
) {
  const { listen } = yield* Neighbours
  const heard: Array<string> = []
  yield* listen(address, (probe) => {
    heard.push(probe)
    return say(messageIdIn(probe), probe)
  })
  return heard
})

describe("WS-Discovery", () => {
  it.effect("tells a camera as soon as it answers, with the address that it answered from, and once", () =>
    Effect.gen(function* () {
      const heard = yield* device("192.168.1.64", (id) => [{ words: match(id), after: 100 }])
      const { errors, found } = yield* search
      assert.deepEqual(errors, [])
      assert.strictEqual(found.length, 1)
      assert.isAtMost(found[0]?.after ?? Infinity, 300)
      assert.deepInclude(found[0]?.answer, {
        from: "192.168.1.64",
        endpoint: "urn:uuid:cam",
        addresses: ["http://10.0.0.9/onvif/device_service"]
      })
      assert.strictEqual(nameIn(found[0]?.answer.scopes ?? []), "Front door")
      // three times, for each type
      assert.strictEqual(heard.length, 6)
      assert.strictEqual(new Set(heard).size, 2)
      assert.isTrue(heard.every((probe) => probe.length < 4096))
    }).pipe(Effect.provide(layer))
  )

  it.effect("finds a device that is ended by words of another WS-Discovery than ONVIF's", () =>
    Effect.gen(function* () {
      let isEnded = false
      let heard = 0
      yield* device("192.168.1.64", (id, probe) => {
        heard++
        isEnded ||= !probe.includes("http://schemas.xmlsoap.org/ws/2004/08/addressing")
        // it takes its time for an answer
        return isEnded || heard < 3 ? [] : [{ words: matchOfWsDiscovery(id) }]
      })
      const { found } = yield* search
      assert.isFalse(isEnded)
      assert.deepEqual(
        found.map(({ answer }) => answer),
        [
          {
            endpoint: "urn:uuid:222399c6-c2b6-41c0-8986-e8904537902c",
            addresses: ["http://192.168.1.64:8080/onvif/announced"],
            scopes: ["onvif://www.onvif.org/name/Announced%20by%20others", "onvif://www.onvif.org/type/video_encoder"],
            from: "192.168.1.64"
          }
        ]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("finds old cameras and new ones, which answer to one type each", () =>
    Effect.gen(function* () {
      const answersTo = (address: string, types: string, scopes?: string) =>
        device(address, (id, probe) =>
          probe.includes(`<d:Types>${types}</d:Types>`)
            ? [{ words: match(id, { types, ...(scopes && { scopes }) }) }]
            : []
        )
      yield* answersTo("192.168.1.64", "dn:NetworkVideoTransmitter", "onvif://www.onvif.org/name/old")
      yield* answersTo("192.168.1.65", "tds:Device", "onvif://www.onvif.org/Profile/T")
      yield* answersTo("192.168.1.66", "tds:Device", "onvif://www.onvif.org/name/door")
      const { found } = yield* search
      assert.sameMembers(
        found.map(({ answer }) => answer.from),
        ["192.168.1.64", "192.168.1.65"]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("reads an answer without the list that should be around it", () =>
    Effect.gen(function* () {
      yield* device("192.168.1.64", (id) => [{ words: match(id).replaceAll(/<\/?d:ProbeMatches>/g, "") }])
      assert.strictEqual((yield* search).found.length, 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("asks on every interface, and says which ones it could not ask on", () =>
    Effect.gen(function* () {
      const { interfaces, listen } = yield* Neighbours
      interfaces.push({ name: "wlan0", address: "10.1.1.2", bits: 8 })
      const by = new Set<string>()
      let rounds = 0
      yield* listen("10.1.1.9", (probe, { name }) => {
        by.add(name)
        if (name !== "wlan0") return []
        // it goes away in the second round
        if (++rounds > 2) interfaces.splice(1)
        return [{ words: match(messageIdIn(probe)) }]
      })
      const { errors, found } = yield* search
      assert.deepEqual([...by], ["eth0", "wlan0"])
      assert.deepEqual(errors, ["cameras can't be asked for on wlan0: ENETUNREACH"])
      assert.strictEqual(found.length, 1)
      interfaces.splice(0)
      assert.match((yield* search).errors.join(), /no network interface is up/)
    }).pipe(Effect.provide(layer))
  )

  it.effect("hears who is in the network that was asked, or in a range that is set, and counts the others", () =>
    Effect.gen(function* () {
      for (const address of ["192.168.1.64", "192.168.2.64", "172.16.3.64", "127.0.0.1", "169.254.169.254", "::1"]) {
        yield* device(address, (id) => [{ words: match(id, { endpoint: `urn:uuid:${address}` }) }])
      }
      const { errors, found } = yield* search
      assert.sameMembers(
        found.map(({ answer }) => answer.from),
        ["192.168.1.64", "172.16.3.64"]
      )
      // six times each
      assert.deepEqual(errors, ["24 answers were dropped: from outside the networks that were asked"])
      const { count } = yield* Metric.value(Metrics.discoveryDropped("sender"))
      assert.strictEqual(count, 24)
    }).pipe(Effect.provide([layer, Metrics.layer]))
  )

  it.effect("drops and counts the addresses of other networks that a camera tells beside its own", () =>
    Effect.gen(function* () {
      const own = "http://192.168.1.64:8080/onvif/device_service"
      const others = ["http://169.254.7.7/onvif/1", "http://127.0.0.1:9997/", "http://camera.local/onvif/2"]
      yield* device("192.168.1.64", (id) => [{ words: match(id, { address: [...others, own].join(" ") }) }])
      const { found } = yield* search
      assert.deepEqual(found[0]?.answer.addresses, [own])
      const { count } = yield* Metric.value(Metrics.discoveryDropped("address"))
      assert.strictEqual(count, 3)
    }).pipe(Effect.provide([layer, Metrics.layer]))
  )

  it.effect("takes nobody for a camera who is a printer, answers something else, or talks nonsense", () =>
    Effect.gen(function* () {
      const printer = { types: "wsdp:Device wprt:PrintDeviceType", scopes: "ldap:///ou=office" }
      yield* device("192.168.1.10", (id) => [{ words: match(id, printer) }])
      yield* device("192.168.1.11", () => [{ words: match("urn:uuid:another-question") }])
      yield* device("192.168.1.12", (id, probe) => [
        { words: "" },
        { words: "\u0000\u0001<<<>" },
        { words: probe },
        { words: match(id).replace("?>", '?><!DOCTYPE a [<!ENTITY b "c">]>') },
        { words: match(id).slice(0, -40) },
        { words: match(id, { address: "" }) },
        { words: match(id) + " ".repeat(20_000) }
      ])
      const { errors, found } = yield* search
      assert.deepEqual(found, [])
      assert.deepEqual(errors, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("hears the others through a flood of answers from one machine", () =>
    Effect.gen(function* () {
      yield* device("192.168.1.66", (id) =>
        Array.from({ length: 1000 }, (_, number) => ({ words: match(id, { endpoint: `urn:uuid:${number}` }) }))
      )
      yield* device("192.168.1.64", (id) => [{ words: match(id), after: 400 }])
      const { found } = yield* search
      assert.isAtMost(found.length, 5)
      assert.include(
        found.map(({ answer }) => answer.from),
        "192.168.1.64"
      )
    }).pipe(Effect.provide(layer))
  )
})

describe("what a device calls itself", () => {
  it("is the name in its scopes, else its hardware, on one line, and never too long", () => {
    const scope = (text: string) => `onvif://www.onvif.org/${text}`
    assert.strictEqual(nameIn([scope("hardware/DS-2CD"), scope("name/HIKVISION%20DS")]), "HIKVISION DS")
    assert.strictEqual(nameIn([scope("hardware/DS_2CD")]), "DS 2CD")
    assert.strictEqual(nameIn([scope("name/%0a%e2%80%ae"), scope("hardware/X")]), "X")
    assert.strictEqual(nameIn([scope("name/100%")]), "100%")
    assert.strictEqual(nameIn([scope(`name/${"x".repeat(500)}`)])?.length, 64)
    assert.isUndefined(nameIn([scope("location/city")]))
  })
})
