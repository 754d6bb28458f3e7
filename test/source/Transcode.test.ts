import { assert, describe, it } from "vitest"
import type { Sent } from "../../src/device/Input.ts"
import { type Encoding, type EncoderChoice } from "../../src/source/Encoder.ts"
import { transcodeArguments } from "../../src/source/FfmpegArguments.ts"
import { planTranscode, whyNotPlayed } from "../../src/source/Transcode.ts"

const encoding: Encoding = { profile: "stanag4406", bitrateKbps: 600, jpegQuality: 85 }
const choice: EncoderChoice = { encoder: { name: "libx264" }, why: "there is no hardware encoder" }
const plan = (sent: Sent | undefined, profile: Encoding["profile"] = "stanag4406", avoided?: string) =>
  planTranscode(sent, { ...encoding, profile }, choice, avoided)
const argumentsOf = (...args: Parameters<typeof plan>) =>
  transcodeArguments(plan(...args), "rtsp://from", "rtsp://to").join(" ")

const conformant: Sent = {
  ...{ codec: "h264", width: 640, height: 480, rate: 25, profile: "constrained baseline", level: "3.0" },
  hasBFrames: false
}
const main: Sent = { ...conformant, width: 1920, height: 1080, profile: "main", level: "4.0" }

describe("what browsers do not play", () => {
  it.each<[what: string, sent: Sent, webrtc: string | undefined, hls: string | undefined]>([
    ["H.265", { codec: "h265" }, "few browsers play H265", "few browsers play H265"],
    ["JPEG", { codec: "jpeg" }, "few browsers play JPEG", "few browsers play JPEG"],
    ["B-frames, over WebRTC", { ...main, hasBFrames: true }, "WebRTC has no B-frames", undefined],
    ["AAC over WebRTC", { ...conformant, audioCodec: "mpeg4-generic" }, "browsers play no AAC over WebRTC", undefined],
    ["G.711 over HLS", { ...conformant, audioCodec: "pcmu" }, undefined, "browsers play no PCMU over HLS"],
    ["H.264 without B-frames: nothing", main, undefined, undefined],
    [
      "AAC whose picture would be made less: left as it is",
      { ...main, audioCodec: "mpeg4-generic" },
      undefined,
      undefined
    ],
    ["a transport stream of which no more is known: nothing", { codec: "mp2t" }, undefined, undefined]
  ])("%s", (_, sent, webrtc, hls) => {
    assert.deepEqual(
      [whyNotPlayed("webrtc", "stanag4406", sent), whyNotPlayed("hls", "stanag4406", sent)],
      [webrtc, hls]
    )
  })
})

describe("a transcode", () => {
  it("is constrained baseline 3.0 in the largest frame of the same shape, at the camera's rate where that fits", () => {
    const made = plan({ codec: "h265", width: 1280, height: 720, rate: 30 })
    assert.deepInclude(made, { width: 844, height: 474, fps: 25, scale: "scale=844:474" })
    assert.deepInclude(plan({ codec: "h265", width: 640, height: 360, rate: 12.5 }), {
      ...{ width: 640, height: 360, fps: 12.5, scale: "scale=640:360" },
      delivers: "H265 640x360 at 12.5/s"
    })
  })

  it("of frames that nobody has seen has the rate that the level allows in any size", () => {
    assert.deepInclude(plan(undefined), { width: 0, height: 0, fps: 25, delivers: "VIDEO" })
    assert.include(argumentsOf({ codec: "jpeg" }), ",scale='min(iw,720)':'min(ih,576)':")
  })

  it("believes no rate that cannot be", () => {
    for (const rate of [0, 0.001, 1000, 90_000]) assert.strictEqual(plan({ ...main, rate }).fps, 25, String(rate))
  })

  it("passes on H.264 that meets the profile; where there is none, all that has no B-frames", () => {
    assert.include(argumentsOf(conformant), "-c:v copy -map 0:a:0? -c:a libopus")
    assert.include(argumentsOf(main), "-c:v libx264")
    assert.include(argumentsOf(main, "none"), "-c:v copy")
    const { hasBFrames: _, ...unknown } = main
    for (const sent of [unknown, { ...main, hasBFrames: true }])
      assert.include(argumentsOf(sent, "none"), "-c:v libx264")
  })

  it("does not pass on what was seen not to be what it says", () => {
    const made = plan(conformant, "stanag4406", "it is main 4.0")
    assert.deepInclude(made, { encoder: { name: "libx264" }, why: "it is main 4.0; there is no hardware encoder" })
  })

  it("begins with a keyframe: before it there is nothing to see", () => {
    assert.include(argumentsOf(main), "-vf select='key+not(isnan(prev_selected_n))',scale=844:474 ")
  })

  it("reads no metadata, waits for no rate, and decodes no picture larger than 8K", () => {
    const args = argumentsOf(main)
    const before = args.slice(0, args.indexOf(" -i "))
    for (const part of ["-allowed_media_types video+audio", "-fpsprobesize 0", "-max_pixels 35000000"]) {
      assert.include(before, part)
    }
    assert.match(args, /-i rtsp:\/\/from -map 0:v:0 .*rtsp:\/\/to$/)
  })
})
