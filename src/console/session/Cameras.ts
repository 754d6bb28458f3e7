import { type ReadonlySignal, signal } from "@preact/signals"
import * as Effect from "effect/Effect"
import type { Camera, CameraId } from "../../../schema/Camera.ts"
import type { RecordingStatusUpdate } from "../../../schema/Recording.ts"
import type { ServiceStatus } from "../../../schema/System.ts"
import { type Trouble, troubleOf } from "../words.ts"
import type { Session } from "./Session.ts"

const dayMillis = 86_400_000

/** A recording as it is now: `RECORDING` once its bytes are on the disk. */
export interface RecordingNow {
  readonly status: "STARTING" | "RECORDING" | "ERROR"
  /** epoch milliseconds of the service's clock */
  readonly since: number
  readonly reason: string | undefined
}

/** What the page knows of the cameras, kept true by what the service tells unasked. */
export class Cameras {
  private readonly lists = signal<ReadonlyArray<Camera> | undefined>(undefined)
  private readonly troubles = signal<Trouble | undefined>(undefined)
  private readonly recordings = signal<ReadonlyMap<CameraId, RecordingNow>>(new Map())
  private readonly healths = signal<ServiceStatus | undefined>(undefined)
  private readonly session: Session

  constructor(session: Session) {
    this.session = session
    session.listen((told) => {
      if (told.method === "camera_status_update") this.put(told.params)
      else if (told.method === "recording_status_update") this.noteRecording(told.params)
      else if (told.method === "system_health_update") this.healths.value = told.params
    })
    session.connection.subscribe((connection) => {
      if (connection > 0) Effect.runFork(this.load)
    })
    session.account.subscribe((account) => {
      if (account === undefined) this.forget()
    })
  }

  /** undefined: not known yet */
  get list(): ReadonlySignal<ReadonlyArray<Camera> | undefined> {
    return this.lists
  }

  /** why the list could not be loaded */
  get trouble(): ReadonlySignal<Trouble | undefined> {
    return this.troubles
  }

  get recording(): ReadonlySignal<ReadonlyMap<CameraId, RecordingNow>> {
    return this.recordings
  }

  /** as far as this role is told; undefined: nothing was said yet */
  get health(): ReadonlySignal<ServiceStatus | undefined> {
    return this.healths
  }

  /** Notes what a reply told before its notification came. */
  noteRecording({ device, duration, reason, status }: RecordingStatusUpdate): void {
    const next = new Map(this.recordings.peek())
    if (status === "STOPPED") next.delete(device)
    else next.set(device, { status, since: this.session.serverNow() - duration * 1000, reason })
    this.recordings.value = next
  }

  private readonly load = Effect.suspend(() =>
    this.session.ask((call) => Effect.all({ list: call.get_camera_list({}), running: this.runningRecordings }))
  ).pipe(
    Effect.match({
      onFailure: (error) => void (this.troubles.value = troubleOf(error)),
      onSuccess: ({ list, running }) => {
        this.troubles.value = undefined
        this.lists.value = [...list.cameras].sort(byName)
        this.recordings.value = running
      }
    })
  )

  private readonly runningRecordings = Effect.suspend(() =>
    this.session.has("admin") ? this.asMetricsTell : this.asTimelineTells
  )

  /** Admins are told how each is. */
  private readonly asMetricsTell = Effect.suspend(() =>
    this.session.ask((call) => Effect.all([call.get_metrics({}), call.get_status({})]))
  ).pipe(
    Effect.map(([{ recording_metrics }, health]): ReadonlyMap<CameraId, RecordingNow> => {
      this.healths.value = health
      return new Map(
        Object.entries(recording_metrics.recordings).map(([device, { since, state }]) => [
          device,
          {
            status: state === "RUNNING" ? "RECORDING" : state === "ERROR" ? "ERROR" : "STARTING",
            since: Date.parse(since),
            reason: undefined
          }
        ])
      )
    })
  )

  /** Others see which goes on. */
  private readonly asTimelineTells = Effect.suspend(() => {
    const now = this.session.serverNow()
    const period = { from: new Date(now - dayMillis).toISOString(), to: new Date(now + 1000).toISOString() }
    return this.session.ask((call) => call.get_recorded_spans({ ...period, resolution_seconds: 0 }))
  }).pipe(
    Effect.map(
      ({ cameras }): ReadonlyMap<CameraId, RecordingNow> =>
        new Map(
          cameras.flatMap(({ device, spans }) => {
            const last = spans.at(-1)
            if (last?.recording !== true) return []
            return [[device, { status: "RECORDING", since: Date.parse(last.start), reason: undefined }]]
          })
        )
    )
  )

  private put(camera: Camera): void {
    const others = (this.lists.peek() ?? []).filter(({ device }) => device !== camera.device)
    this.lists.value = [...others, camera].sort(byName)
  }

  private forget(): void {
    this.lists.value = undefined
    this.recordings.value = new Map()
    this.healths.value = undefined
  }
}

const numberOf = ({ device }: Camera): number => Number(device.slice("camera".length))
const byName = (one: Camera, other: Camera): number => numberOf(one) - numberOf(other)
