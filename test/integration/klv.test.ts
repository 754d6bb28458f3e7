import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { RecordedTelemetry } from "../../src/recording/RecordedTelemetry.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import { Trials } from "../../src/rtsp/Trials.ts"
import { CameraTelemetry } from "../../src/stream/CameraTelemetry.ts"
import { readyStream } from "../suites/streams.ts"
import { realPrograms } from "../support/App.ts"
import { eventually } from "../support/Eventually.ts"
import { attachCamera } from "../support/NetworkCamera.ts"
import { makeVideo, peerLogin, startGstreamer } from "../support/RtspPeer.ts"

const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache")
const STANAG4609 = join(cache, "camera-service/stanag4609/v0.4.0")

const ffmpeg = (...args: ReadonlyArray<string>) => execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...args])

const python = (...args: ReadonlyArray<string>) => {
  const script = join(import.meta.dirname, "../support/klv/drone.py")
  execFileSync("/usr/bin/python3", [script, ...args], { env: { ...process.env, STANAG4609 } })
}

/** A drone's transport stream of 40 seconds, and the packets of metadata in it (stanag4609 writes them), ten a second. */
const makeFlight = (folder: string) => {
  const [packets = "", metadata = "", file = ""] = ["packets.klv", "metadata.ts", "flight.ts"].map((name) =>
    join(folder, name)
  )
  python("tells", packets, metadata)
  const inputs = ["-stream_loop", "9", "-i", makeVideo(folder), "-i", metadata]
  ffmpeg(...inputs, "-map", "0:v", "-map", "1:d", "-c", "copy", "-f", "mpegts", file)
  return { file, packets }
}

interface Flight {
  readonly file: string
  readonly packets: string
}

const asTransportStream = (file: string) =>
  `( filesrc location=${file} ! tsparse set-timestamps=true ! rtpmp2tpay name=pay0 pt=33 )`

/** GStreamer's pipelines. */
const ways: Readonly<Record<string, (flight: Flight) => string>> = {
  "on a track of its own": ({ file }) =>
    `( filesrc location=${file} ! tsdemux name=d ` +
    "d. ! queue ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 " +
    "d. ! queue ! meta/x-klv,parsed=true ! rtpklvpay name=pay1 pt=98 )",
  "in a transport stream": ({ file }) => asTransportStream(file),
  "in a transport stream, in access units": ({ file, packets }) => {
    const synchronous = `${file}.synchronous.ts`
    python("synchronous", file, packets, synchronous)
    return asTransportStream(synchronous)
  }
}

describe("a drone, played by GStreamer, that sends its metadata", () => {
  for (const [way, pipelineOf] of Object.entries(ways)) {
    realPrograms.starts(`${way}, is told of as it flies, and recorded bit by bit`, (run, folder) =>
      Effect.gen(function* () {
        const flight = makeFlight(folder)
        const packets = readFileSync(flight.packets)
        const camera = yield* startGstreamer(pipelineOf(flight))
        yield* run(
          folder,
          Effect.gen(function* () {
            const telemetry = yield* CameraTelemetry
            const { id } = yield* attachCamera({
              address: "127.0.0.1",
              port: camera.port,
              url: camera.url,
              isSecure: false,
              credentials: {
                user: peerLogin.user,
                password: Redacted.make(peerLogin.password),
                mayBeSentInClear: false,
                trials: new Trials(() => 0)
              }
            })
            const ages: Array<number> = []
            yield* telemetry.facts.follow(({ heardAt }) =>
              Effect.map(Clock.currentTimeMillis, (now) => ages.push(now - heardAt.wall))
            )
            const stream = yield* readyStream(id)
            const recordings = yield* Recordings
            yield* recordings.start({ camera: id, format: "stanag4609" })
            const told = () => ages.length
            const before = told()
            yield* eventually(
              "it tells for three seconds",
              Effect.sync(() => told() >= before + 15)
            )
            const { files } = yield* recordings.stop(id)
            assert.strictEqual(stream.restarts, 0)
            const { values } = telemetry.last(id)?.telemetry ?? assert.fail("it told")
            assert.deepInclude(values, { mission_id: "MISSION 01", uas_ls_version: 19 })
            assert.closeTo(values.sensor_latitude_deg ?? 0, 48.11, 0.01)
            assert.isBelow(ages.toSorted((a, b) => a - b)[Math.floor(ages.length / 2)] ?? 1000, 1000)

            const name = files[0]?.filename ?? ""
            const recorded = join(folder, "recordings", name)
            const extracted = join(folder, "extracted.klv")
            ffmpeg("-i", recorded, "-map", "0:d", "-c", "copy", "-f", "data", extracted)
            const bytes = readFileSync(extracted)
            // two and a half seconds of packets, one after the other, as they were written
            assert.isAbove(bytes.length, (25 * packets.length) / 400)
            assert.isTrue(packets.includes(bytes), `${bytes.length} bytes of ${packets.length}`)

            const { points } = yield* (yield* RecordedTelemetry).points(name, { from: 0, to: 1e6, limit: 500 })
            assert.isAtLeast(points.length, 10)
            const [first, last] = [points[0], points.at(-1)]
            // ten packets a second, each a degree further
            const turned = (last?.values.platform_heading_deg ?? 0) - (first?.values.platform_heading_deg ?? 0)
            assert.closeTo(turned, 10 * ((last?.offset ?? 0) - (first?.offset ?? 0)), 3)
            assert.isBelow(first?.offset ?? 9, 1)
          })
        )
      }).pipe(Effect.scoped)
    )
  }
})
