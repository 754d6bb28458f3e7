import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ask } from "../http/Client.ts"
import { eventually } from "../support/Eventually.ts"
import { connect } from "../support/PlainClient.ts"
import { SharedService } from "../support/Service.ts"

/** What another user of this machine, with nothing but a shell, is told. */
const asNobody = (script: string, ...args: ReadonlyArray<string>) =>
  Effect.callback<string>((resume) => {
    const command = [
      "setpriv",
      "--reuid=nobody",
      "--regid=nogroup",
      "--clear-groups",
      "bash",
      "-c",
      script,
      "bash",
      ...args
    ]
    execFile("env", command, { timeout: 100_000 }, (_failure, stdout) => resume(Effect.succeed(stdout)))
  })

const folder = mkdtempSync(join(tmpdir(), "strangers-"))
const [gate, started] = [join(folder, "go"), join(folder, "started")]

/** FFmpeg that waits until it may, with its arguments for all to see: whoever reads them comes first. */
const slowFfmpeg = join(folder, "ffmpeg")
writeFileSync(
  slowFfmpeg,
  `#!/bin/sh
case "$*" in *rtsp://*) echo $$ > ${started}; while [ ! -e ${gate} ]; do sleep 0.05; done ;; esac
exec ffmpeg "$@"
`,
  { mode: 0o755 }
)

/** Takes the address with the ticket out of a process's arguments, and announces a stream there. */
const thief = `
url=$(tr '\\0' '\\n' < /proc/$1/cmdline | grep ^rtsp://)
sdp=$(printf 'v=0\\r\\no=- 0 0 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 127.0.0.1\\r\\nt=0 0\\r\\nm=video 0 RTP/AVP 96\\r\\na=rtpmap:96 H264/90000\\r\\na=fmtp:96 packetization-mode=1\\r\\na=control:0\\r\\n.')
sdp=\${sdp%.}
exec 3<>/dev/tcp/127.0.0.1/$2
printf 'ANNOUNCE %s RTSP/1.0\\r\\nCSeq: 1\\r\\nContent-Type: application/sdp\\r\\nContent-Length: %s\\r\\n\\r\\n%s' "$url" "\${#sdp}" "$sdp" >&3
head -1 <&3
`

layer(SharedService.layer({ cameras: 1, settings: { FFMPEG_BINARY: slowFfmpeg } }), {
  timeout: "120 seconds",
  excludeTestServices: true
})("a stranger on this machine", (it) => {
  it.effect("may not use MediaMTX's API, whether a program or a web page's form", () =>
    Effect.gen(function* () {
      const { ground } = yield* SharedService
      const marker = join(folder, "ran")
      const body = JSON.stringify({ source: "publisher", runOnInit: `touch ${marker}` })
      const form = { origin: "http://evil.example", "content-type": "text/plain" }
      const add = yield* ask(ground.ports.api, "/v3/config/paths/add/intruder", { method: "POST", headers: form, body })
      assert.strictEqual(add.status, 401)
      for (const path of ["/v3/info", "/v3/config/global/get", "/v3/paths/list"]) {
        const { headers, status } = yield* ask(ground.ports.api, path, { headers: form })
        assert.strictEqual(status, 401, path)
        assert.isUndefined(headers["access-control-allow-origin"])
      }
      const basic = { authorization: `Basic ${btoa("camera-service-api:guess")}` }
      assert.strictEqual((yield* ask(ground.ports.api, "/v3/info", { headers: basic })).status, 401)
      assert.strictEqual((yield* ask(ground.ports.playback, "/list?path=camera0")).status, 401)
      assert.isFalse(existsSync(marker))
    })
  )

  it.effect("may not publish with the ticket that stands in FFmpeg's arguments, nor keep FFmpeg from it", () =>
    Effect.gen(function* () {
      const service = yield* SharedService
      const client = yield* connect(service.url, yield* service.token({ role: "operator" }))
      yield* Effect.forkChild(client.result("start_streaming", { device: "camera0" }), {
        startImmediately: true
      })
      yield* eventually(
        "FFmpeg is started",
        Effect.sync(() => existsSync(started))
      )
      const ffmpeg = service.ground.processes().find(({ argv }) => argv.some((word) => word.startsWith("rtsp://")))
      const answer = yield* asNobody(thief, String(ffmpeg?.pid), String(service.ground.ports.rtsp))
      assert.include(answer, "401")
      writeFileSync(gate, "")
      yield* eventually(
        "the stream is there",
        Effect.map(
          client.result("get_stream_status", { device: "camera0" }),
          (status) => (status as { readonly ready: boolean }).ready
        )
      )
      const [publisher] = service.ground.running("ffmpeg")
      assert.strictEqual(publisher?.pid, ffmpeg?.pid)
      rmSync(folder, { recursive: true })
    })
  )
})
