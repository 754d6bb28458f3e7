import { assert, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import * as Calls from "../../src/external/onvif/OnvifCalls.ts"
import { cameraTypes, matchesIn, nameIn, probeMessage } from "../../src/external/onvif/ProbeMessages.ts"
import { request, saidIn } from "../../src/external/onvif/Soap.ts"
import { at, BadXml, type Element, escapeXml, loadXml, textAt } from "../../src/external/onvif/Xml.ts"

/**
 * What devices of a network send, right and wrong: each is read or refused, and nothing of it is another thing here than a
 * text of one line. See `JsonRpc.test.ts`.
 */
const inputs = Number(process.env["FUZZ_INPUTS"] ?? 3000)
const seed = Number(process.env["FUZZ_SEED"] ?? 20_260_517)

const calls: ReadonlyArray<Calls.OnvifCall<unknown>> = [
  Calls.getSystemDateAndTime,
  Calls.getDeviceInformation,
  Calls.getServices,
  Calls.getCapabilities,
  ...[Calls.media, Calls.media2].flatMap((media) => [media.getProfiles, media.getStreamUri("p")])
]

const names = fc.constantFrom(
  ...["Envelope", "Header", "RelatesTo", "Body", "Fault", "Code", "Value", "Subcode", "Reason", "Text"],
  ...["ProbeMatches", "ProbeMatch", "EndpointReference", "Address", "Types", "Scopes", "XAddrs"],
  ...[
    "GetProfilesResponse",
    "Profiles",
    "Name",
    "VideoEncoderConfiguration",
    "Encoding",
    "Resolution",
    "Width",
    "Height"
  ],
  ...[
    "GetSystemDateAndTimeResponse",
    "SystemDateAndTime",
    "UTCDateTime",
    "Date",
    "Time",
    "Year",
    "Month",
    "Day",
    "Hour"
  ],
  ...["GetServicesResponse", "Service", "Namespace", "XAddr", "GetStreamUriResponse", "MediaUri", "Uri"],
  ...["__proto__", "constructor", "toString", "prototype", "#text", "#cdata", ":@", "x:y:z", "a.b", "1"]
)
const texts = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ maxLength: 20, unit: "binary" }),
  fc.constantFrom(
    ...[
      "&amp;",
      "&#0;",
      "&#x110000;",
      "&#65;",
      "&lt;a&gt;",
      "&x;",
      "<![CDATA[ <b> ]]>",
      "<!-- a -->",
      "]]>",
      "<?a b?>"
    ],
    ...[
      "urn:uuid:1",
      "dn:NetworkVideoTransmitter",
      "onvif://www.onvif.org/name/%zz",
      "http://[::1",
      "2026",
      "-1",
      "1e999"
    ],
    ...["\u0000", "\u2028", "\u202e", "<!DOCTYPE a>", "<!ENTITY b 'c'>", "9".repeat(400)]
  )
)
const { element: tree } = fc.letrec<{ element: string }>((tie) => ({
  element: fc.oneof(
    { maxDepth: 7 },
    texts,
    fc
      .tuple(names, fc.array(tie("element"), { maxLength: 4 }), fc.option(texts))
      .map(([name, inner, token]) => `<${name}${token === null ? "" : ` token="${token}"`}>${inner.join("")}</${name}>`)
  )
}))

const good = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header><a:RelatesTo>urn:uuid:1</a:RelatesTo></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:2</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/A</d:Scopes><d:XAddrs>http://192.168.1.64/onvif</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`

/** a good message with some of its characters lost, doubled, moved or others */
const broken = fc
  .array(fc.tuple(fc.nat(good.length), fc.nat(40), fc.oneof(texts, fc.constant(""))), { minLength: 1, maxLength: 6 })
  .map((cuts) =>
    cuts.reduce((text, [from, length, instead]) => text.slice(0, from) + instead + text.slice(from + length), good)
  )

const messages = fc.oneof(
  tree,
  tree.map((inner) => `<Envelope><Body>${inner}</Body></Envelope>`),
  broken,
  fc.string(),
  texts
)

/** as it is shown and logged */
const isOneLine = (text: string) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text) && text.length <= 2048

const everyText = (element: Element): ReadonlyArray<string> => [
  ...(textAt(element) === undefined ? [] : [textAt(element) ?? ""]),
  ...element.children.flatMap(everyText)
]

it.effect("whatever a device sends is read, or refused by name", () =>
  Effect.gen(function* () {
    const readXml = yield* loadXml
    const before = Object.getOwnPropertyNames(Object.prototype)
    let read = 0
    const look = Effect.fnUntraced(function* (message: string) {
      const envelope = yield* readXml(message)
      read++
      assert.isTrue(everyText(envelope).every(isOneLine))
      for (const { addresses, endpoint, scopes } of matchesIn(envelope, new Set(["urn:uuid:1"]))) {
        assert.isTrue([...addresses, endpoint, ...scopes, nameIn(scopes) ?? ""].every(isOneLine))
      }
      for (const call of calls) {
        const said = saidIn(envelope, call)
        if (said._tag === "Answer") call.read(said.answer)
        if (said._tag === "Fault") assert.isTrue(isOneLine(said.detail))
        // answers without their envelopes, which reach further
        call.read(envelope)
      }
    })
    for (const message of fc.sample(messages, { numRuns: inputs, seed })) {
      const outcome = yield* Effect.result(look(message))
      if (outcome._tag === "Failure") assert.instanceOf(outcome.failure, BadXml)
    }
    assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), before)
    // most are no XML at all
    expect(read).toBeGreaterThan(inputs / 10)
  })
)

it.effect("what is said to a device is read as it was meant, whatever is in it", () =>
  Effect.gen(function* () {
    const readXml = yield* loadXml
    for (const text of fc.sample(fc.oneof(texts, fc.string({ unit: "grapheme" })), { numRuns: 500, seed })) {
      const call = Calls.media2.getStreamUri(text)
      // no XML can have them, and none of ours is made of such
      if (/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.test(text)) continue
      const body = at(yield* readXml(request(call, undefined)), "Body", "GetStreamUri")
      assert.strictEqual(at(body, "ProfileToken")?.text, text.trim())
      assert.deepEqual(
        body?.children.map(({ name }) => name),
        ["Protocol", "ProfileToken"]
      )
      for (const type of cameraTypes) {
        const probe = yield* readXml(probeMessage(type, text))
        assert.strictEqual(at(probe, "Header", "MessageID")?.text, text.trim())
      }
      assert.notMatch(escapeXml(text), /[<>"']/)
    }
  })
)

it.effect("what has many profiles is read whole, each with what is in it, and what stands around them", () =>
  Effect.gen(function* () {
    const readXml = yield* loadXml
    const profile = (number: number) =>
      `<trt:Profiles token="p${number}" fixed="true"><Name>${number}</Name>${'<b c="d">e</b>'.repeat(60)}</trt:Profiles >`
    const profiles = Array.from({ length: 128 }, (_, number) => profile(number))
    const whole = yield* readXml(`<e><before>1</before><r x="y">${profiles.join("\n")}<after/></r></e>`)
    assert.deepEqual(
      whole.children.map(({ name }) => name),
      ["before", "r"]
    )
    const [, { children = [], attributes = {} } = {}] = whole.children
    assert.deepEqual(attributes, { x: "y" })
    assert.deepEqual([children.length, children.at(-1)?.name], [129, "after"])
    for (const [number, one] of children.slice(0, -1).entries()) {
      assert.deepEqual(one.attributes, { token: `p${number}`, fixed: "true" })
      assert.deepEqual([textAt(one, "Name"), one.children.length], [String(number), 61])
    }
  })
)

it.effect("what takes long to read is refused before it is", () =>
  Effect.gen(function* () {
    const readXml = yield* loadXml
    const most = 256 * 1024
    const hostile: Readonly<Record<string, string>> = {
      tags: `<a>${"<b/>".repeat(2200)}</a>`,
      attributes: `<a ${Array.from({ length: 2200 }, (_, at) => `a${at}="1"`).join(" ")}/>`,
      "attributes without values": `<a>${"<b c d e f g h i j k l/>".repeat(220)}</a>`,
      "attributes behind what looks like the end of a tag": `<a b=">"${"\nc".repeat(2200)}/>`,
      "attributes behind a comment": `<a><!-- ' --><b c="'>"${" d".repeat(2200)}/></a>`,
      "tags in one of many": `<a>${`<Profiles>${"<b/>".repeat(2200)}</Profiles>`.repeat(2)}</a>`,
      "too many of them": `<a>${"<Profiles><b/></Profiles>".repeat(2000)}</a>`,
      "one in the other": `<a>${"<Profiles>".repeat(3000)}${"</Profiles>".repeat(3000)}</a>`,
      "those without an end": `<a>${"<Profiles>".repeat(3000)}</a>`,
      depth: "<a>".repeat(5000) + "</a>".repeat(5000),
      length: `<a>${"x".repeat(most)}</a>`,
      "a bomb": `<!DOCTYPE a [<!ENTITY b "${"c".repeat(100)}"><!ENTITY d "&b;&b;&b;">]><a>&d;</a>`,
      "a file": '<!doctype a SYSTEM "file:///etc/passwd"><a/>'
    }
    for (const [what, message] of Object.entries(hostile)) {
      assert.strictEqual((yield* Effect.flip(readXml(message)))._tag, "BadXml", what)
    }
    const indented = `<a>${`\n${" ".repeat(40)}<b c="d"/>`.repeat(1000)}</a>`
    assert.strictEqual((yield* readXml(indented)).children.length, 1000)
    assert.strictEqual(textAt(yield* readXml("<a>&b;&amp;&#65;</a>")), "&b;&A")
  })
)
