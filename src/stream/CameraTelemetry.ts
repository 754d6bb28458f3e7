import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { CameraId } from "../../schema/Camera.ts"
import type { Telemetry } from "../../schema/Telemetry.ts"
import { Devices } from "../device/Devices.ts"
import { type Facts, makeFacts } from "../facts/Facts.ts"
import { type Moment, moments } from "../ground/Time.ts"
import type { KlvFlaw } from "../media/klv/Ber.ts"
import { readKlv } from "../media/klv/Klv.ts"
import type { HearKlv } from "../media/klv/RtpKlv.ts"
import { makeWarner } from "../telemetry/Warner.ts"

/** A camera has told where it is and where it looks; of many packets a second the newest, five times a second at most. */
export interface TelemetryFact {
  readonly _tag: "TelemetryHeard"
  readonly camera: CameraId
  readonly telemetry: Telemetry
  /** when its packet came */
  readonly heardAt: Moment
}

/** What a packet said, and when it came. */
export interface Heard {
  readonly telemetry: Telemetry
  readonly at: Moment
}

/**
 * Why nothing was heard of a camera. IDLE: its stream does not run. NONE: there is no metadata in it. WAITING: there may be;
 * `flaw`: what has come could not be read.
 */
export interface NoTelemetry {
  readonly state: "IDLE" | "NONE" | "WAITING"
  readonly flaw: KlvFlaw | undefined
}

/** Five times a second; and what could not be read is no reason to read all that comes. */
const pauses = { told: Duration.millis(200), refused: Duration.millis(50) }
/** What is older is no news, in milliseconds. */
const fresh = 100

/** What is kept of a camera: one packet that was not read yet, and the last one that was. */
interface Kept {
  newest: { readonly unit: Buffer; readonly at: Moment } | undefined
  last: Heard | undefined
  flaw: KlvFlaw | undefined
  /** of the run under way */
  hasKlv: (() => boolean | undefined) | undefined
}

/** What cameras tell beside their pictures (KLV): where they are and where they look. It is heard while their streams run. */
export class CameraTelemetry extends Context.Service<
  CameraTelemetry,
  {
    /**
     * For as long as the scope lives: gives what hears each packet as it comes. `hasKlv`: whether the stream carries any, as
     * far as is known
     */
    readonly listen: (camera: CameraId, hasKlv: () => boolean | undefined) => Effect.Effect<HearKlv, never, Scope.Scope>
    /** the last that could be read, be its stream over or not */
    readonly last: (camera: CameraId) => Heard | undefined
    /** why there is no `last`, by what is known of its stream */
    readonly silence: (camera: CameraId) => NoTelemetry
    /** the newest packet of each camera, five times a second at most */
    readonly facts: Facts<TelemetryFact>
  }
>()("camera-service/stream/CameraTelemetry") {
  static readonly layer = Layer.effect(
    CameraTelemetry,
    Effect.gen(function* () {
      const devices = yield* Devices
      const facts = yield* makeFacts<TelemetryFact>()
      const warn = yield* makeWarner
      const now = yield* moments
      const cameras = new Map<CameraId, Kept>()
      yield* devices.followForgotten((camera) => cameras.delete(camera))

      const of = (camera: CameraId): Kept => {
        const known = cameras.get(camera)
        if (known !== undefined) return known
        const made: Kept = { newest: undefined, last: undefined, flaw: undefined, hasKlv: undefined }
        cameras.set(camera, made)
        return made
      }

      /** Reads what came last, if nobody has. */
      const read = (camera: CameraId, kept: Kept): Heard | undefined => {
        const { newest } = kept
        kept.newest = undefined
        if (newest === undefined) return kept.last
        const telemetry = readKlv(newest.unit)
        if (typeof telemetry === "object") return (kept.last = { telemetry, at: newest.at })
        kept.flaw = telemetry
        warn(camera, "what a camera tells beside its pictures cannot be read", { "camera.id": camera, why: telemetry })
        return kept.last
      }

      const listen = Effect.fnUntraced(function* (camera: CameraId, hasKlv: () => boolean | undefined) {
        const kept = of(camera)
        const awake = yield* Queue.sliding<void>(1)
        let told = kept.last
        yield* Effect.acquireRelease(
          Effect.sync(() => (kept.hasKlv = hasKlv)),
          () =>
            Effect.sync(() => {
              read(camera, kept)
              if (kept.hasKlv === hasKlv) kept.hasKlv = undefined
            })
        )
        const tellNext = Effect.gen(function* () {
          yield* Queue.take(awake)
          const last = read(camera, kept)
          if (last === undefined || last === told) return yield* Effect.sleep(pauses.refused)
          told = last
          // it came while the one before was news
          if (now().monotonic - last.at.monotonic > fresh) return
          facts.tell({ _tag: "TelemetryHeard", camera, telemetry: last.telemetry, heardAt: last.at })
          yield* Effect.sleep(pauses.told)
        })
        yield* Effect.forkScoped(Effect.forever(tellNext))
        return (unit: Buffer) => {
          // a copy: the next one takes its place
          kept.newest = { unit: Buffer.from(unit), at: now() }
          Queue.offerUnsafe(awake, undefined)
        }
      })

      return CameraTelemetry.of({
        listen,
        last: (camera) => {
          const kept = cameras.get(camera)
          return kept === undefined ? undefined : read(camera, kept)
        },
        silence: (camera) => {
          const { flaw, hasKlv } = cameras.get(camera) ?? {}
          if (hasKlv === undefined) return { state: "IDLE", flaw }
          return { state: hasKlv() === false ? "NONE" : "WAITING", flaw }
        },
        facts
      })
    })
  )
}
