import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { FileIndex } from "../../src/storage/FileIndex.ts"
import { Holds } from "../../src/storage/Holds.ts"
import type { IndexedFile } from "../../src/storage/IndexedFile.ts"
import { type OpenIndex, renewIndex } from "../../src/storage/IndexFile.ts"
import { Timeline } from "../../src/storage/Timeline.ts"
import { whepOffer } from "../../test/support/WhepOffer.ts"
import type { Benchmark, Measurement } from "./Benchmark.ts"
import { makeIdle } from "./Cameras.ts"
import { type Service, startReady } from "./Service.ts"
import { percentile, slowest, summary } from "./Statistics.ts"
import { pause } from "./Waiting.ts"

const cameras = 16
const days = 30
const minutesADay = 1440
/** A recording goes on for so many minutes, and then there is a gap of one: ten a day. */
const unbroken = 143
const first = Date.UTC(2026, 0, 1)
const minute = 60_000

const fileOf = (camera: number, number: number): IndexedFile => {
  const created = first + number * minute
  return {
    kind: "recording",
    filename: `camera${camera}_${created}.mp4`,
    device: `camera${camera}`,
    bytes: 4_500_000,
    modified: created + minute,
    created,
    duration: 60,
    codec: "h264",
    width: 640,
    height: 480
  }
}

const fill = (index: OpenIndex): number => {
  let files = 0
  for (let camera = 0; camera < cameras; camera++) {
    let some: Array<{ readonly file: IndexedFile; readonly described: boolean }> = []
    for (let number = 0; number < days * minutesADay; number++) {
      if (number % (unbroken + 1) === unbroken) continue
      some.push({ file: fileOf(camera, number), described: true })
      files++
      if (some.length < 1000) continue
      index.addNew(some)
      some = []
    }
    index.addNew(some)
  }
  return files
}

/** All cameras, from the whole time down to an hour somewhere in it, over the index as it is on disk. */
const spans = async (count: number): Promise<ReadonlyArray<Measurement>> => {
  const folder = mkdtempSync(join(tmpdir(), "camera-service-bench-"))
  const index = renewIndex(
    {
      open: (path) => new DatabaseSync(path),
      openInMemory: () => new DatabaseSync(":memory:"),
      remove: () => undefined,
      copy: () => Promise.resolve(),
      keep: () => undefined,
      putBack: () => false,
      bootId: () => "bench"
    },
    join(folder, "index.sqlite")
  )
  try {
    const files = fill(index)
    const layer = Timeline.layer.pipe(
      Layer.provide(
        Layer.mergeAll(
          Layer.mock(FileIndex)({
            timeline: (use) => Effect.sync(() => use(index.timeline)),
            state: () => ({ state: "RUNNING" })
          }),
          Holds.layer
        )
      )
    )
    const asked = (length: number) =>
      Effect.gen(function* () {
        const timeline = yield* Timeline
        const samples: Array<number> = []
        let found = 0
        for (let i = 0; i < count; i++) {
          const from = first + Math.floor(Math.random() * (days * minutesADay * minute - length))
          const began = performance.now()
          const each = yield* Effect.forEach(
            Array.from({ length: cameras }, (_, n) => n),
            (n) => timeline.spans(`camera${n}`, { from, to: from + length }, length / 1000)
          )
          samples.push(performance.now() - began)
          found = each.reduce((all, one) => all + one.length, 0)
        }
        return { samples, found }
      })
    const run = <A>(effect: Effect.Effect<A, unknown, Timeline>) => Effect.runPromise(Effect.provide(effect, layer))
    const month = await run(asked(days * minutesADay * minute))
    const hour = await run(asked(60 * minute))
    return [
      {
        name: "console-server.spans",
        value: percentile(month.samples, 0.95),
        detail: `${files} files, ${month.found} spans; ${summary(month.samples)}; an hour: ${summary(hour.samples)}`
      }
    ]
  } finally {
    index.close()
    rmSync(folder, { recursive: true })
  }
}

const device = "camera0"

/** The time to the head of a reply and its first bytes; the rest is read too: what is broken off is not over at once. */
const timed = async (url: string, options: RequestInit, status: number): Promise<number> => {
  const began = performance.now()
  const response = await fetch(url, options)
  const reader = response.body?.getReader()
  await reader?.read()
  const took = performance.now() - began
  while ((await reader?.read())?.done === false);
  if (response.status !== status) throw new Error(`${url} was answered ${response.status}`)
  return took
}

const past = async (service: Service, count: number): Promise<ReadonlyArray<Measurement>> => {
  using rpc = await service.connect()
  const from = new Date().toISOString()
  await rpc.call("start_recording", { device })
  await pause(65_000)
  await rpc.call("stop_recording", { device })
  const to = new Date().toISOString()
  const origin = service.url.replace("ws:", "http:").replace("/ws", "")
  const headers = { authorization: `Bearer ${service.ground.token}` }
  const start = Math.ceil(Date.parse(from) / 10_000) * 10
  const pictures = [0, 10, 20, 30, 40, 50].map((after) => `${origin}/thumbnails/${device}/${start + after}.jpg`)
  const made: Array<number> = []
  const kept: Array<number> = []
  for (const picture of pictures) made.push(await timed(picture, { headers }, 200))
  for (let i = 0; i < count; i++) kept.push(await timed(pictures[i % pictures.length] ?? "", { headers }, 200))
  const exports: Array<number> = []
  for (let i = 0; i < Math.max(1, count / 10); i++) {
    exports.push(await timed(`${origin}/export/${device}?from=${from}&to=${to}`, { headers }, 200))
  }
  const parts: Array<number> = []
  const { files } = await rpc.call<{ readonly files: ReadonlyArray<{ readonly filename: string }> }>("list_recordings")
  for (let i = 0; i < count; i++) {
    const began = performance.now()
    await rpc.call("get_recording_parts", { filename: files[0]?.filename ?? "" })
    parts.push(performance.now() - began)
  }
  return [
    { name: "console-server.parts", value: percentile(parts, 0.95), detail: summary(parts) },
    { name: "console-server.thumbnail_new", value: percentile(made, 0.95), detail: summary(made) },
    { name: "console-server.thumbnail_kept", value: percentile(kept, 0.95), detail: summary(kept) },
    { name: "console-server.export", value: slowest(exports), detail: summary(exports) }
  ]
}

/** The time to the answer of an offer, whose session is ended then. */
const offered = async (url: string, token: string): Promise<number> => {
  const authorization = `Bearer ${token}`
  const headers = { authorization, "content-type": "application/sdp" }
  const began = performance.now()
  const answer = await fetch(url, { method: "POST", headers, body: whepOffer })
  await answer.text()
  const took = performance.now() - began
  if (answer.status !== 201) throw new Error(`an offer was answered ${answer.status}`)
  const session = new URL(answer.headers.get("location") ?? "", url)
  await (await fetch(session, { method: "DELETE", headers: { authorization } })).text()
  return took
}

const live = async (service: Service, count: number): Promise<ReadonlyArray<Measurement>> => {
  using rpc = await service.connect()
  const { ports, token } = service.ground
  const relayed = `http://127.0.0.1:${ports.SERVER_PORT}/whep/${device}`
  const direct = `http://127.0.0.1:${ports.MEDIAMTX_WEBRTC_PORT}/${device}/whep`
  const idle: Array<number> = []
  for (let i = 0; i < Math.max(2, count / 5); i++) {
    await makeIdle(rpc, device)
    idle.push(await offered(relayed, token))
    // the watch over its readers has to be over too
    await pause(4000)
  }
  await rpc.call("start_streaming", { device })
  const warm: Array<number> = []
  const past: Array<number> = []
  for (let i = 0; i < count; i++) {
    warm.push(await offered(relayed, token))
    past.push(await offered(direct, token))
  }
  return [
    { name: "console-server.whep_idle", value: percentile(idle, 0.95), detail: summary(idle) },
    {
      name: "console-server.whep",
      value: percentile(warm, 0.95),
      detail: `${summary(warm)}; past us: ${summary(past)}`
    }
  ]
}

/** What a page asks of the service: what was recorded, pictures of it, exports, and live streams through its own port. */
export const consoleServer: Benchmark = async ({ say, times }) => {
  say(`an index of ${cameras} cameras × ${days} days of minutes`)
  const found = await spans(times(200))
  await using service = await startReady(1, {
    RECORDING_SEGMENT_SECONDS: 60,
    STREAMS_VIEWER_LINGER_SECONDS: 0,
    STREAMS_START_TIMEOUT_SECONDS: 2
  })
  say("a recording of a minute")
  const recorded = await past(service, times(100))
  say("offers over WHEP")
  return [...found, ...recorded, ...(await live(service, times(50)))]
}
