import type { Benchmark, Measurement } from "./Benchmark.ts"
import { makeIdle } from "./Cameras.ts"
import type { Rpc } from "./Rpc.ts"
import { makeGround, startReady, startService } from "./Service.ts"
import { median, percentile, slowest, summary } from "./Statistics.ts"
import { pause, until } from "./Waiting.ts"

interface Snapshot {
  readonly tier: number
  readonly tiers_tried: ReadonlyArray<{ readonly tier: number; readonly ms: number }>
}

const device = "camera0"
const together = 20
/** Pictures come five times a second: calls at any moment between two of them. */
const betweenPictures = 200

const take = async (rpc: Rpc, tier: number, options: object = {}): Promise<number> => {
  const began = performance.now()
  const snapshot = await rpc.call<Snapshot>("take_snapshot", { device, ...options })
  const took = performance.now() - began
  if (snapshot.tier !== tier) throw new Error(`tier ${snapshot.tier} answered, not ${tier}`)
  return took
}

const p95 = (name: string, samples: ReadonlyArray<number>): Measurement => ({
  name,
  value: percentile(samples, 0.95),
  detail: summary(samples)
})

const p50 = (name: string, samples: ReadonlyArray<number>): Measurement => ({
  name,
  value: median(samples),
  detail: summary(samples)
})

const measureLive = async (rpc: Rpc, times: (count: number) => number): Promise<ReadonlyArray<Measurement>> => {
  await rpc.call("start_streaming", { device })
  await take(rpc, 1)
  const atHand: Array<number> = []
  for (let i = 0; i < times(200); i++) {
    atHand.push(await take(rpc, 1))
    await pause(10)
  }
  const fresh: Array<number> = []
  for (let i = 0; i < times(100); i++) {
    fresh.push(await take(rpc, 1, { max_age_ms: 0 }))
    await pause(Math.random() * betweenPictures)
  }
  const bursts: Array<number> = []
  for (let i = 0; i < times(20); i++) {
    bursts.push(slowest(await Promise.all(Array.from({ length: together }, () => take(rpc, 1)))))
    await pause(100)
  }
  return [p95("snapshot.at_hand", atHand), p95("snapshot.fresh", fresh), p50("snapshot.burst", bursts)]
}

const measureActivated = async (rpc: Rpc, times: (count: number) => number): Promise<ReadonlyArray<Measurement>> => {
  const samples: Array<number> = []
  for (let i = 0; i < times(30); i++) {
    await makeIdle(rpc, device)
    samples.push(await take(rpc, 2))
  }
  return [p50("snapshot.activated.p50", samples), p95("snapshot.activated.p95", samples)]
}

/** Nothing listens where the operator's MediaMTX should be, so no stream can start; the third tier's own time counts. */
const measureDirect = async (times: (count: number) => number): Promise<ReadonlyArray<Measurement>> => {
  using ground = await makeGround({
    CAMERAS_SYNTHETIC: 1,
    MEDIAMTX_MANAGED: "false",
    SNAPSHOTS_ACTIVATED_TIMEOUT_SECONDS: 0.1
  })
  await using service = startService(ground)
  const connects = () =>
    service.connect().then(
      (rpc) => (rpc[Symbol.dispose](), true),
      () => false
    )
  await until("the service answers", connects)
  using rpc = await service.connect()
  const samples: Array<number> = []
  for (let i = 0; i < times(30); i++) {
    const { tiers_tried } = await rpc.call<Snapshot>("take_snapshot", { device, max_age_ms: 0 })
    const direct = tiers_tried.find(({ tier }) => tier === 3)
    if (direct === undefined) throw new Error("the third tier was not tried")
    samples.push(direct.ms)
  }
  return [p50("snapshot.direct.p50", samples), p95("snapshot.direct.p95", samples)]
}

/** Snapshots of a synthetic camera by each of the three ways, as the client waits for them. */
export const snapshotTiers: Benchmark = async ({ say, times }) => {
  await using service = await startReady(1)
  using rpc = await service.connect()
  say("live")
  const live = await measureLive(rpc, times)
  say("activated")
  const activated = await measureActivated(rpc, times)
  say("direct")
  return [...live, ...activated, ...(await measureDirect(times))]
}
