import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import { liveNow } from "../../src/config/Settings.ts"
import { Recordings } from "../../src/recording/Recordings.ts"
import { Streams } from "../../src/stream/Streams.ts"
import { isMediaMtxWell, type Invariant, lives } from "./Looking.ts"
import { settings, type World } from "./World.ts"

const { snapshot_linger_seconds, start_timeout_seconds, viewer_linger_seconds } = liveNow(settings()).streams
const viewerLinger = Duration.toMillis(viewer_linger_seconds)

/** The calls that need a stream, and how long it outlives each, in milliseconds. */
const lingers: Readonly<Record<string, number>> = {
  take_snapshot: Duration.toMillis(snapshot_linger_seconds),
  start_streaming: viewerLinger,
  start_recording: 0
}

/** What a call needs a stream for is over by then, answered or not: tiers and starts have 10 s, and the disk 5 s more. */
const callTime = 20_000

/** One who was let in has so long to come; that nobody reads any more is known a second later. */
const readerTime = Duration.toMillis(start_timeout_seconds) + 1000

/** A stream is over so many milliseconds after its last lease: an FFmpeg that ignores signals is killed. */
const endTime = 8000

/** Until when (milliseconds that have passed) what clients have asked for may have the camera stream. */
const calledUntil = ({ life, passed }: World, camera: string): number => {
  const now = passed()
  const last = Object.entries(lingers).flatMap(([method, linger]) => {
    const ends = (life?.clients ?? []).flatMap(({ lastAt, open }) => {
      const asked = [...open.values()].filter((one) => one.method === method && one.params["device"] === camera)
      return [lastAt(method, camera)].concat(asked.map(({ since }) => Math.min(now, since + callTime)))
    })
    return ends.map((end) => end + linger)
  })
  return Math.max(Number.NEGATIVE_INFINITY, ...last)
}

/** Each stream has a call, a recording or a viewer for a reason, of its own camera, or had one until just now. */
export const hasReason: Invariant = (world) => {
  /** by camera: until when its recording and its viewers may have it stream */
  const recordedUntil = new Map<string, number>()
  const viewedUntil = new Map<string, number>()
  const isNewLife = lives(world)
  return () => {
    if (isNewLife()) {
      recordedUntil.clear()
      viewedUntil.clear()
    }
    if (world.life === undefined) return undefined
    const now = world.passed()
    const { nouns } = world.life
    for (const camera of Context.get(nouns, Recordings).now().keys()) recordedUntil.set(camera, now)
    for (const [camera, at] of world.viewed) {
      const until = viewedUntil.get(camera) ?? at + readerTime + viewerLinger
      // who reads is known to MediaMTX alone
      const mayRead = (world.readers.get(camera) ?? 0) > 0 || (!isMediaMtxWell(world) && now <= until)
      viewedUntil.set(camera, Math.max(until, (mayRead ? now : at) + readerTime + viewerLinger))
    }
    for (const { camera } of Context.get(nouns, Streams).all()) {
      const until = Math.max(
        calledUntil(world, camera),
        recordedUntil.get(camera) ?? Number.NEGATIVE_INFINITY,
        viewedUntil.get(camera) ?? Number.NEGATIVE_INFINITY
      )
      if (now > until + endTime) return `${camera} streams for nobody since ${Math.round(now - until)} ms`
    }
    return undefined
  }
}
