import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { InvalidState, RateLimited } from "../../schema/Errors.ts"
import { leastScanInterval } from "../../schema/External.ts"
import { liveNow, Settings } from "../config/Settings.ts"
import { type Facts, makeFacts } from "../facts/Facts.ts"
import { millisSince, type Moment, monotonicNow, now } from "../ground/Time.ts"
import { DiscoveryInterval } from "./DiscoveryInterval.ts"
import { ExternalStreams } from "./ExternalStreams.ts"
import type { KnownStream, SeenStream } from "./SeenStreams.ts"
import { OnvifCameras } from "./OnvifCameras.ts"
import { Scan } from "./Scan.ts"
import { type Plan, planOf, together } from "./ScanPlan.ts"

/** What is looked for. */
export interface Wanted {
  readonly skydio: boolean
  readonly generic: boolean
  readonly onvif: boolean
}

/** What a scan has found. */
export interface Discovered {
  readonly begun: Moment
  readonly millis: number
  readonly streams: ReadonlyArray<SeenStream>
  /** what could not be looked at, for people */
  readonly errors: ReadonlyArray<string>
}

/** How far a scan is: at its begin, four times a second while it goes on, and at its end. */
export interface DiscoveryFact {
  readonly _tag: "DiscoveryProgressed"
  readonly state: "SCANNING" | "DONE"
  /** ports of addresses that were looked at, and all that are to be */
  readonly looked: number
  readonly total: number
  /** streams */
  readonly found: number
}

/** What a scan has found is good for so long, in milliseconds, where nobody wants another one. */
const freshFor = 30_000
/** Milliseconds from one scan's begin to the next one's, whoever asks. */
const pause = leastScanInterval * 1000
/** A scan of all that can be configured takes minutes; what was found by then is told. */
const longest = "5 minutes"
const tellEvery = 250
/** So many streams are told of one scan. */
const mostFound = 1024

/** Looks for streams in the network: one scan at a time, when somebody asks, and every so often where that is set. */
export class Discovery extends Context.Service<
  Discovery,
  {
    /** `isForced`: although the last one has just been. Who asks and goes away ends it. */
    readonly scan: (wanted: Wanted, isForced: boolean) => Effect.Effect<Discovered, InvalidState | RateLimited>
    /** how far each scan is, from now on */
    readonly facts: Facts<DiscoveryFact>
  }
>()("camera-service/external/Discovery") {
  static readonly layer = Layer.effect(
    Discovery,
    Effect.gen(function* () {
      const settings = yield* Settings
      const known = yield* ExternalStreams
      const onvif = yield* OnvifCameras
      const { run } = yield* Scan
      const interval = yield* DiscoveryInterval
      const facts = yield* makeFacts<DiscoveryFact>()
      const clock = yield* monotonicNow
      let isScanning = false
      let begunAt = -Infinity
      let last: { readonly key: string; readonly at: number; readonly discovered: Discovered } | undefined

      const look = Effect.fnUntraced(function* (wanted: Wanted) {
        const begun = yield* now
        begunAt = begun.monotonic
        const plan = planFor(wanted, liveNow(settings).discovery)
        const streams = new Map<string, SeenStream>()
        const errors: Array<string> = []
        let looked = 0
        let full = false
        let toldAt = -Infinity
        const progress = (state: DiscoveryFact["state"]): void => {
          if (state === "SCANNING" && clock() - toldAt < tellEvery) return
          toldAt = clock()
          facts.tell({ _tag: "DiscoveryProgressed", state, looked, total: plan.size, found: streams.size })
        }
        const found = (stream: SeenStream) =>
          Effect.sync(() => {
            if (streams.size < mostFound) streams.set(stream.url.text, stream)
            else full = true
            progress("SCANNING")
          })
        const behindDoors = run(plan, {
          online: onlineIn(known.list()),
          found,
          looked: Effect.sync(() => {
            looked++
            progress("SCANNING")
          })
        })

        progress("SCANNING")
        yield* Effect.logInfo("streams are looked for").pipe(Effect.annotateLogs({ ...wanted, ports: plan.size }))
        yield* Effect.all([behindDoors, wanted.onvif ? onvif.find(found) : Effect.succeed([])], {
          concurrency: "unbounded"
        }).pipe(
          Effect.map((all) => errors.push(...all.flat())),
          Effect.timeoutOrElse({
            duration: longest,
            orElse: () => Effect.sync(() => errors.push(`after ${longest} not everything was looked at`))
          }),
          Effect.ensuring(
            Effect.suspend(() => {
              progress("DONE")
              return known.seen([...streams.values()])
            })
          )
        )
        if (wanted.generic && liveNow(settings).discovery.generic_ranges.length === 0) errors.push(noRanges)
        if (full) errors.push(`more than ${mostFound} streams answered`)
        const discovered: Discovered = {
          begun,
          millis: yield* millisSince(begun),
          streams: [...streams.values()],
          errors
        }
        yield* Effect.logInfo("streams were looked for").pipe(
          Effect.annotateLogs({ found: streams.size, ms: Math.round(discovered.millis), errors: errors.length })
        )
        return discovered
      })

      const admit = Effect.suspend((): Effect.Effect<void, InvalidState | RateLimited> => {
        if (isScanning) return Effect.fail(alreadyScanning())
        const wait = begunAt + pause - clock()
        if (wait > 0) return Effect.fail(new RateLimited({ retry_after_ms: Math.ceil(wait) }))
        isScanning = true
        return Effect.void
      })

      const scan = Effect.fn("Discovery.scan")(function* (wanted: Wanted, isForced: boolean) {
        const key = JSON.stringify(wanted)
        if (!isForced && !isScanning && last?.key === key && clock() - last.at < freshFor) return last.discovered
        return yield* Effect.acquireUseRelease(
          admit,
          () =>
            Effect.tap(look(wanted), (discovered) => Effect.sync(() => void (last = { key, at: clock(), discovered }))),
          () => Effect.sync(() => void (isScanning = false))
        )
      })

      const byItself = Effect.suspend(() => {
        const { generic_ranges } = liveNow(settings).discovery
        return Effect.ignore(scan({ skydio: true, generic: generic_ranges.length > 0, onvif: true }, true))
      }).pipe(Effect.catchDefect((defect) => Effect.logError("streams could not be looked for", defect)))
      yield* SubscriptionRef.changes(interval.now).pipe(
        Stream.switchMap((seconds) =>
          seconds === 0 || !settings.boot.external.enabled
            ? Stream.never
            : Stream.fromEffect(Effect.forever(Effect.andThen(Effect.sleep(`${seconds} seconds`), byItself)))
        ),
        Stream.runDrain,
        Effect.forkScoped
      )

      return Discovery.of({ scan, facts })
    })
  )
}

const noRanges = "no network is set in which other RTSP servers are looked for: discovery.generic_ranges"

const planFor = (wanted: Wanted, settings: ReturnType<typeof liveNow>["discovery"]): Plan =>
  together([
    ...(wanted.skydio ? [planOf("skydio_stanag4609", settings.skydio_ranges, settings.skydio_streams)] : []),
    ...(wanted.generic ? [planOf("generic_rtsp", settings.generic_ranges, settings.generic_streams)] : [])
  ])

const onlineIn = (streams: ReadonlyArray<KnownStream>): ReadonlyMap<string, SeenStream> =>
  new Map(streams.flatMap((stream) => (stream.status === "ONLINE" ? [[stream.url.text, stream]] : [])))

const alreadyScanning = () =>
  new InvalidState({
    state: "SCANNING",
    allowed_states: ["IDLE"],
    reason: "a scan runs",
    suggestion: "wait until it is done: events of the topic discovery.progress tell"
  })
