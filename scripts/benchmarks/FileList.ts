import { mkdirSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { Benchmark, Measurement } from "./Benchmark.ts"
import { frame, startLoad } from "./Load.ts"
import { cpuSeconds } from "./Proc.ts"
import type { Rpc } from "./Rpc.ts"
import { type Ground, makeGround, type Service, startService } from "./Service.ts"
import { median, percentile, round, summary } from "./Statistics.ts"
import { pause, until } from "./Waiting.ts"

const files = 100_000
const calls = 2000
const lastPage = files - 50
/** A recording every 10 minutes. */
const momentOf = (number: number): number => Date.UTC(2025, 0, 1) + number * 600_000

const nameOf = (moment: number): string =>
  `camera0_${new Date(moment).toISOString().slice(0, 19).replace("T", "_").replaceAll(":", "-")}.mp4`

const writeFiles = (folder: string, from: number, to: number): void => {
  for (let number = from; number < to; number++) {
    const moment = momentOf(number)
    const path = join(folder, nameOf(moment))
    writeFileSync(path, "no video")
    utimesSync(path, moment / 1000, moment / 1000)
  }
}

/** Copies the entry of the one file that the service has looked into: an ffprobe for each would take an hour. */
const fillIndex = (path: string): void => {
  using database = new DatabaseSync(path)
  const template = database.prepare("SELECT * FROM files").get()
  if (template === undefined) throw new Error("the service has not entered the first file")
  const columns = Object.keys(template)
  const insert = database.prepare(
    `INSERT INTO files(${columns.join(", ")}) VALUES(${columns.map((column) => `:${column}`).join(", ")})`
  )
  database.exec("BEGIN")
  for (let number = 1; number < files; number++) {
    const moment = momentOf(number)
    insert.run({ ...template, filename: nameOf(moment), modified: moment, created: moment })
  }
  database.exec("COMMIT")
}

/** Every file is there and the walk over the disk that each start makes is over: the service does nothing any more. */
const awaitQuiet = async (pid: number): Promise<void> => {
  let before = -1
  const quiet = (): boolean => {
    const now = cpuSeconds(pid)
    const still = now - before < 0.02
    before = now
    return still
  }
  await until("the service has looked through its folder", quiet, { bound: 120_000, every: 1000 })
}

const prepare = async (ground: Ground): Promise<void> => {
  const folder = join(ground.folder, "recordings")
  mkdirSync(folder, { recursive: true })
  writeFiles(folder, 0, 1)
  {
    await using service = startService(ground)
    await service.ready()
    await awaitQuiet(service.pid)
  }
  fillIndex(join(ground.folder, "index.sqlite"))
  writeFiles(folder, 1, files)
}

/** How long each call takes until this has happened. */
const callsUntil = async (rpc: Rpc, method: string, happened: Promise<unknown>): Promise<ReadonlyArray<number>> => {
  const over = happened.then(() => true)
  const samples: Array<number> = []
  while ((await Promise.race([over, false])) !== true) {
    const began = performance.now()
    await rpc.call(method)
    samples.push(performance.now() - began)
    await pause(1)
  }
  return samples
}

/** All files go at once, while another client asks. */
const deleteAll = async (service: Service): Promise<ReadonlyArray<Measurement>> => {
  using admin = await service.connect()
  using other = await service.connect()
  const usage = await callsUntil(other, "get_storage_info", pause(2000))
  const before = await callsUntil(other, "ping", pause(5000))
  await admin.call("set_retention_policy", { policy_type: "manual", enabled: true, max_age_days: 1 })
  const began = performance.now()
  const cleanup = admin.call<{ readonly files_deleted: number }>("cleanup_old_files")
  const pings = await callsUntil(other, "ping", cleanup)
  const seconds = (performance.now() - began) / 1000
  const deleted = (await cleanup).files_deleted
  if (deleted !== files) throw new Error(`${deleted} files were deleted, and there were ${files}`)
  return [
    { name: "list.usage", value: median(usage), detail: summary(usage) },
    {
      name: "list.cleanup",
      value: percentile(pings, 0.99),
      detail: `in ${round(seconds)} s; ${summary(pings)}; before: p99 ${round(percentile(before, 0.99))}, ${summary(before)}`
    }
  ]
}

/** A page of 50 out of 100,000 recordings, the newest and the oldest; and how others fare while all of them are deleted. */
export const fileList: Benchmark = async ({ say, times }) => {
  using ground = await makeGround()
  say(`making ${files} files`)
  await prepare(ground)
  say("the service looks through them")
  await using service = startService(ground)
  await service.ready()
  await awaitQuiet(service.pid)
  using rpc = await service.connect()
  const { total } = await rpc.call<{ readonly total: number }>("list_recordings")
  if (total !== files) throw new Error(`${total} files are listed, and there are ${files}`)

  const samples: Array<number> = []
  for (let call = 0; call < times(500); call++) {
    const began = performance.now()
    await rpc.call("list_recordings", { limit: 50, offset: call % 2 === 0 ? 0 : lastPage })
    samples.push(performance.now() - began)
    await pause(2)
  }
  using load = startLoad()
  await load.open({ url: service.url, token: ground.token, connections: 1 })
  const pages = [0, lastPage].map((offset) => frame("list_recordings", { limit: 50, offset }))
  await load.closedLoop(times(calls), pages)
  const before = cpuSeconds(service.pid)
  await load.closedLoop(times(calls), pages)
  const cost = ((cpuSeconds(service.pid) - before) / times(calls)) * 1000
  return [
    { name: "list.call", value: median(samples), detail: summary(samples) },
    { name: "list.cpu", value: cost, detail: `${round(cost * 1000)} µs` },
    ...(await deleteAll(service))
  ]
}
