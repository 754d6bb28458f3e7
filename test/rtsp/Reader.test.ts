import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { type Message, serialise } from "../../src/rtsp/Message.ts"
import { Reader } from "../../src/rtsp/Reader.ts"

/** What comes of these pieces, and what is wrong with them. */
const read = (pieces: ReadonlyArray<Uint8Array>, wanted: (channel: number) => boolean = () => true) => {
  const messages: Array<Message> = []
  const channels: Array<number> = []
  const frames: Array<Uint8Array> = []
  let gifts = 0
  let wrong: string | undefined
  const reader = new Reader({
    frame: (channel) => {
      channels.push(channel)
      return wanted(channel)
    },
    frames: (bytes) => {
      gifts++
      frames.push(Buffer.from(bytes))
    },
    message: (message) => void messages.push(message)
  })
  for (const piece of pieces) wrong ??= reader.push(piece)
  return { heard: { messages, channels, frames: Buffer.concat(frames), wrong }, gifts }
}

const text = (lines: string) => Buffer.from(lines.replaceAll("\n", "\r\n"))
const frame = (channel: number, ...bytes: ReadonlyArray<number>) =>
  Buffer.from([0x24, channel, 0, bytes.length, ...bytes])

/** Cut at these places. */
const cut = (whole: Buffer, places: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const ends = [...places.map((place) => place % (whole.length + 1)), whole.length].sort((a, b) => a - b)
  return ends.map((end, i) => whole.subarray(i === 0 ? 0 : ends[i - 1], end))
}

const reply = text("RTSP/1.0 200 OK\nCSeq: 3\nContent-Length: 4\n\nbody")
const options = text("OPTIONS * RTSP/1.0\nCSeq: 9\n\n")
const conversation = Buffer.concat([
  frame(0, 1, 2, 3),
  reply,
  frame(1),
  frame(0, 0x24, 0x0d, 0x0a),
  options,
  frame(3, 7)
])

describe("what comes on a connection", () => {
  it("is the same whatever the pieces that it comes in", () => {
    const whole = read([conversation]).heard
    assert.deepEqual(whole.channels, [0, 1, 0, 3])
    assert.deepEqual(
      whole.messages.map((message) => (message._tag === "Reply" ? message.body : message.method)),
      ["body", "OPTIONS"]
    )
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), (places) => {
        assert.deepEqual(read(cut(conversation, places)).heard, whole)
      })
    )
  })

  it("gives the frames that are wanted as they came, and no others", () => {
    const { frames } = read([conversation], (channel) => channel !== 1).heard
    assert.deepEqual(frames, Buffer.concat([frame(0, 1, 2, 3), frame(0, 0x24, 0x0d, 0x0a), frame(3, 7)]))
  })

  it("is given at once, however many others stand in between", () => {
    const mixed = Buffer.concat([frame(0, 1), frame(1), Buffer.from("\r\n"), frame(0, 2), options, frame(0, 3)])
    const { gifts, heard } = read([mixed], (channel) => channel !== 1)
    assert.deepEqual([heard.frames, gifts], [Buffer.concat([frame(0, 1), frame(0, 2), frame(0, 3)]), 1])
  })

  it("may have single line feeds, folded lines, and empty lines too many", () => {
    const { messages, wrong } = read([
      Buffer.from('\r\n\nRTSP/1.0 401 No\nWWW-Authenticate: Digest\n  realm="a"\nCSeq:1\n\n')
    ]).heard
    assert.isUndefined(wrong)
    assert.deepEqual(messages[0]?.headers.get("www-authenticate"), ['Digest realm="a"'])
  })

  it.each([
    ["no RTSP", "HTTP/1.1 200 OK\n\n"],
    ["a header that is none", "RTSP/1.0 200 OK\nno header\n\n"],
    ["a body that is too long", "RTSP/1.0 200 OK\nContent-Length: 70000\n\n"],
    ["a length that is none", "RTSP/1.0 200 OK\nContent-Length: -1\n\n"],
    ["two lengths", "RTSP/1.0 200 OK\nContent-Length: 1\nContent-Length: 2\n\n"],
    ["a head without end", `RTSP/1.0 200 OK\n${"X: y\n".repeat(4000)}`],
    ["too many headers", `RTSP/1.0 200 OK\n${"X: y\n".repeat(65)}\n`]
  ])("is not understood where it is %s", (_, lines) => {
    assert.isDefined(read([text(lines)]).heard.wrong)
  })

  it("never throws, and keeps no more than one message or frame", () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(conversation, Buffer.from("$"), Buffer.from("\r\n\r\n"), Buffer.from("RTSP/1.0 200 OK\r\n")),
      fc.string({ maxLength: 100 }).map((word) => Buffer.from(`RTSP/1.0 200 ${word}\r\n`))
    )
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 30 }), (pieces) => {
        const { wrong } = read(pieces).heard
        assert.isTrue(wrong === undefined || wrong.startsWith("something") || wrong.startsWith("a message"))
      }),
      { numRuns: Number(process.env["FUZZ_INPUTS"] ?? 2000), ...seed }
    )
  })
})

const seed = process.env["FUZZ_SEED"] === undefined ? {} : { seed: Number(process.env["FUZZ_SEED"]) }

describe("what we say", () => {
  it("is read as it was meant, and no value makes a second line", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (value, body) => {
        const { messages } = read([serialise("RTSP/1.0 200 OK", { CSeq: "1", "X-Value": `a${value}b` }, body)]).heard
        const [message] = messages
        assert.lengthOf(messages, 1)
        assert.strictEqual(message?._tag === "Reply" && message.body, body)
        assert.deepEqual([...(message?.headers.keys() ?? [])].slice(0, 2), ["cseq", "x-value"])
      })
    )
  })
})
