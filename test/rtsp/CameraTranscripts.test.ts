import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { type Asked, headerOf } from "../../src/rtsp/Message.ts"
import { playedOf } from "../support/AnsweringCamera.ts"
import { withLogin } from "../support/NetworkCamera.ts"

/** What cameras that were bought have answered, as an RTSP client that others made keeps it (retina); where scripts/setup puts it. */
const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache")
const folder = join(cache, "camera-service/retina/v0.4.21/src/client/testdata")
const isThere = existsSync(folder)
if (!isThere) console.warn("the answers of real cameras are left out: they are not in the cache of scripts/setup")

/** Files of a camera's answers; where it has none it answers as most do. */
interface Answers {
  readonly options?: string
  readonly describe?: string
  readonly setups?: ReadonlyArray<string>
  readonly play?: string
}

interface Played extends Answers {
  /** what is played of it */
  readonly found: ReadonlyArray<string>
}

const usual = ["h264"]
const cameras: Readonly<Record<string, Played>> = {
  Anjvision: { describe: "anjvision_describe", found: ["h265"] },
  Anpviz: { describe: "anpviz_sdp", found: ["h264", "mpeg4-generic"] },
  Wowza: {
    ...{ describe: "bunny_describe", setups: ["bunny_setup"], play: "bunny_play" },
    found: ["h264", "mpeg4-generic"]
  },
  "Wowza, without the times of its first packets": { play: "bad_rtptime", found: usual },
  "Dahua, AAC": {
    ...{ options: "dahua_options", describe: "dahua_describe_h264_aac_onvif", setups: ["dahua_setup"] },
    ...{ play: "dahua_play", found: ["h264", "mpeg4-generic"] }
  },
  "Dahua, H.265": {
    ...{ describe: "dahua_describe_h265_pcma", play: "dahua_play_decimal_ssrc" },
    found: ["h265", "pcma"]
  },
  Foscam: { describe: "foscam_describe", found: ["h264", "pcmu"] },
  GeoVision: { describe: "geovision_sdp", found: usual },
  "GW, main": {
    ...{ describe: "gw_main_describe", setups: ["gw_main_setup_video", "gw_main_setup_audio"], play: "gw_main_play" },
    found: ["h264", "pcmu"]
  },
  "GW, sub": { describe: "gw_sub_describe", setups: ["gw_sub_setup"], play: "gw_sub_play", found: usual },
  "a DVR": { describe: "h264dvr_describe", play: "h264dvr_play", found: ["h264", "pcma"] },
  Hikvision: { describe: "hikvision_describe", setups: ["hikvision_setup"], play: "hikvision_play", found: usual },
  "Hikvision, another": { setups: ["hikvision_setup_ssrc_space"], found: usual },
  IPCAM: { describe: "ipcam_describe", found: usual },
  Laureii: { play: "laureii_play", found: usual },
  Luckfox: { setups: ["luckfox_rkipc_setup_tcp"], found: usual },
  Macrovideo: { describe: "macrovideo_describe", found: usual },
  FFmpeg: { describe: "missing_content_type_describe", found: ["h264", "mpeg4-generic"] },
  Reolink: {
    ...{ describe: "reolink_describe", setups: ["reolink_setup"], play: "reolink_play" },
    found: ["h264", "mpeg4-generic"]
  },
  "Reolink, another": { describe: "reolink_describe_control_first", found: ["h264", "mpeg4-generic"] },
  Rubetek: { setups: ["rubetek_setup_ssrc_0x"], found: usual },
  "one with short numbers": { setups: ["setup_ssrc_4_hex_digits"], found: usual },
  "TP-Link": { describe: "tplink_sdp", found: ["h265", "pcma"] },
  Ubiquiti: { describe: "ubiquiti_sdp", found: ["h264", "mpeg4-generic"] },
  VStarcam: { describe: "vstarcam_describe", found: ["h264", "pcma"] }
}
/** Those that would send by UDP, which is not asked for. */
const refused: Readonly<Record<string, Answers>> = {
  "a DVR": { setups: ["h264dvr_setup_video", "h264dvr_setup_audio"] },
  Luckfox: { setups: ["luckfox_rkipc_setup_udp"] }
}
const unauthorized = "longse_unauthorized"
/** The session is over when it comes. */
const unread = "reolink_teardown"

const usualSdp = "v=0\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
const ok = "RTSP/1.0 200 OK\r\nCSeq: 0\r\n"
const described = (sdp: string) => `${ok}Content-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`
const textOf = (file: string): string => readFileSync(join(folder, `${file}.txt`), "latin1")
const answerOf = (file: string): string => (file.endsWith("_sdp") ? described(textOf(file)) : textOf(file))

/** Made the answer to this request. */
const numbered = (answer: string, { headers }: Asked): string =>
  answer.replace(/^(cseq: *)\d+/im, `$1${headerOf(headers, "cseq")}`)

/** What these files answer. */
const answering = ({ describe, options, play, setups = [] }: Answers) => {
  let tracks = 0
  return (request: Asked): string => {
    const { headers, method } = request
    const setup = (): string => {
      const file = setups[tracks] ?? setups.at(-1)
      const channels = `interleaved=${2 * tracks}-${2 * tracks + 1}`
      tracks++
      // of two tracks some tell of the first alone
      return file === undefined
        ? `${ok}Session: 1\r\nTransport: ${headerOf(headers, "transport")}\r\n\r\n`
        : answerOf(file).replace(/interleaved=0-1/, channels)
    }
    const answers: Readonly<Record<string, () => string>> = {
      OPTIONS: () => (options === undefined ? `${ok}\r\n` : answerOf(options)),
      DESCRIBE: () => (describe === undefined ? described(usualSdp) : answerOf(describe)),
      SETUP: setup,
      PLAY: () => (play === undefined ? `${ok}\r\n` : answerOf(play))
    }
    return numbered(answers[method]?.() ?? `${ok}\r\n`, request)
  }
}

describe.skipIf(!isThere)("what a camera that was bought has answered", () => {
  it("is all that there is", () => {
    const named = new Set([unauthorized, unread])
    for (const { describe, options, play, setups = [] } of [...Object.values(cameras), ...Object.values(refused)]) {
      for (const file of [describe, options, play, ...setups]) if (file !== undefined) named.add(file)
    }
    const files = readdirSync(folder).map((name) => name.replace(/\.txt$/, ""))
    assert.deepEqual(files.toSorted(), [...named].toSorted())
  })

  for (const [name, { found, ...answers }] of Object.entries(cameras)) {
    it.effect(`is understood: ${name}`, () =>
      Effect.gen(function* () {
        const played = yield* playedOf(answering(answers))
        assert.deepEqual(
          played.found.map(({ encoding }) => encoding),
          found
        )
        // by the session's name alone
        const [setup] = answers.setups ?? []
        const session = setup === undefined ? "1" : /^Session: *([^;\r]+)/m.exec(answerOf(setup))?.[1]
        assert.strictEqual(played.asked.at(-1)?.split(" ").at(-1), session)
      })
    )
  }

  for (const [name, answers] of Object.entries(refused)) {
    it.effect(`by UDP is refused by name: ${name}`, () =>
      Effect.gen(function* () {
        const failed = yield* Effect.flip(playedOf(answering(answers)))
        assert.deepInclude(failed, { kind: "PROTOCOL", detail: "it does not send over TCP as it was asked to" })
      })
    )
  }

  it.effect("to who shows no password has it shown as a digest: Longse", () =>
    Effect.gen(function* () {
      const answer = answering({})
      const shown: Array<string> = []
      const { found } = yield* playedOf(
        (request) => {
          const authorization = headerOf(request.headers, "authorization")
          if (authorization === undefined) return numbered(textOf(unauthorized), request)
          shown.push(authorization)
          return answer(request)
        },
        yield* withLogin
      )
      assert.lengthOf(found, 1)
      assert.match(shown[0] ?? "", /^Digest .*realm="Surveillance Server", nonce="98481030"/)
    })
  )
})
