import { computed, type ReadonlySignal, signal } from "@preact/signals"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { Camera, CameraId } from "../../../schema/Camera.ts"
import type { RecordingStatusUpdate } from "../../../schema/Recording.ts"
import type { ServiceStatus } from "../../../schema/System.ts"
import { say } from "../notices.ts"
import { type Trouble, troubleOf } from "../words.ts"
import type { Session } from "./Session.ts"

/** A recording as it is now: `RECORDING` once its bytes are on the disk; `UNKNOWN`: there was one when the page was last told. */
export interface RecordingNow {
  readonly status: "STARTING" | "RECORDING" | "ERROR" | "UNKNOWN"
  /** epoch milliseconds of the service's clock */
  readonly since: number
  readonly reason: string | undefined
}

/** A second. */
const fewPictures = 4

/** What the page knows of the cameras, kept true by what the service tells unasked. */
export class Cameras {
  private readonly lists = signal<ReadonlyArray<Camera> | undefined>(undefined)
  private readonly troubles = signal<Trouble | undefined>(undefined)
  private readonly recordings = signal<ReadonlyMap<CameraId, RecordingNow>>(new Map())
  private readonly healths = signal<ServiceStatus | undefined>(undefined)
  private readonly session: Session
  /** by device */
  readonly recording: ReadonlySignal<ReadonlyMap<CameraId, RecordingNow>>

  constructor(session: Session) {
    this.session = session
    this.recording = computed(() => {
      const told = this.recordings.value
      const mediaServer = this.healths.value?.components.mediamtx ?? "RUNNING"
      if (mediaServer === "RUNNING") return told
      // it is what writes, and the service may need seconds to say that this recording is not written
      return mapped(told, (one) => (one.status === "RECORDING" ? { ...one, status: "ERROR", reason: noWriter } : one))
    })
    session.listen((told) => {
      if (told.method === "camera_status_update") this.put(told.params)
      else if (told.method === "recording_status_update") this.noteRecording(told.params)
      else if (told.method === "system_health_update") this.healths.value = told.params
      else if (told.params.topic === "camera.removed") this.remove(told.params.device)
    })
    // until the list has come by the next connection
    session.phase.subscribe(({ _tag }) => {
      if (_tag !== "Ready")
        this.recordings.value = mapped(this.recordings.peek(), (one) => ({ ...one, status: "UNKNOWN" }))
    })
    session.connection.subscribe((connection) => {
      if (connection === 0) return
      // what was told by the connection before
      this.healths.value = undefined
      Effect.runFork(this.load)
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

  /** Pictures a second that a camera was set to; 0: not known. */
  rateOf(device: string): number {
    return this.lists.peek()?.find((camera) => camera.device === device)?.fps ?? 0
  }

  /**
   * The service says that something is wrong with this camera, or with what carries its pictures; that is said for as long as the
   * media server comes up and ends, again and again, and a camera of few pictures is not to seem to have stopped meanwhile.
   */
  isFaulty(device: string): boolean {
    const camera = this.lists.peek()?.find((one) => one.device === device)
    const mediaServer = this.healths.peek()?.components.mediamtx ?? "RUNNING"
    return camera?.status === "ERROR" || (mediaServer !== "RUNNING" && this.rateOf(device) > fewPictures)
  }

  /** Asks for the list anew. */
  again(): void {
    Effect.runFork(this.load)
  }

  private readonly load = Effect.suspend(() =>
    Effect.all([this.loadList, this.loadHealth], { concurrency: "unbounded", discard: true })
  )

  private readonly loadList = Effect.suspend(() => this.session.ask((call) => call.get_camera_list({}))).pipe(
    Effect.matchCause({
      onFailure: (cause) => void (this.troubles.value = troubleOf(Cause.squash(cause))),
      onSuccess: ({ cameras }) => {
        this.troubles.value = undefined
        this.lists.value = [...cameras].sort(byName)
        const before = this.recordings.peek()
        this.recordings.value = new Map(cameras.flatMap(recordingOf))
        const isOver = ({ device }: Camera) => before.has(device) && !this.recordings.peek().has(device)
        tellOver(cameras.filter(isOver).map(({ device }) => device))
      }
    })
  )

  /** others than administrators are told of changes only */
  private readonly loadHealth = Effect.suspend(() =>
    this.session.has("admin") ? this.session.ask((call) => call.get_status({})) : Effect.succeed(undefined)
  ).pipe(
    Effect.matchCause({
      // the system's view says why
      onFailure: () => undefined,
      onSuccess: (health) => {
        if (health !== undefined) this.healths.value = health
      }
    })
  )

  private put(camera: Camera): void {
    const others = (this.lists.peek() ?? []).filter(({ device }) => device !== camera.device)
    this.lists.value = [...others, camera].sort(byName)
  }

  private remove(device: CameraId): void {
    this.lists.value = this.lists.peek()?.filter((camera) => camera.device !== device)
    this.recordings.value = new Map([...this.recordings.peek()].filter(([recorded]) => recorded !== device))
  }

  private forget(): void {
    this.lists.value = undefined
    this.recordings.value = new Map()
    this.healths.value = undefined
  }
}

const numberOf = ({ device }: Camera): number => Number(device.slice("camera".length))
const byName = (one: Camera, other: Camera): number => numberOf(one) - numberOf(other)

const noWriter = "The media server does not run. The recording goes on when it does."

/** Ends that the page was not told of when they came; those of many cameras in one notice, for few notices stay in sight. */
const tellOver = (devices: ReadonlyArray<CameraId>): void => {
  if (devices.length === 0) return
  const words = devices.length === 1 ? ["is", "its recording"] : ["are", "their recordings"]
  say({
    kind: "done",
    what: `${devices.join(", ")} ${words[0]} not being recorded any more: ${words[1]} ended while this page was not connected.`,
    advice: "Start again what is still needed."
  })
}

const mapped = (
  recordings: ReadonlyMap<CameraId, RecordingNow>,
  change: (one: RecordingNow) => RecordingNow
): ReadonlyMap<CameraId, RecordingNow> => new Map([...recordings].map(([device, one]) => [device, change(one)]))

const recordingOf = ({ device, recording }: Camera): ReadonlyArray<readonly [CameraId, RecordingNow]> =>
  recording === undefined
    ? []
    : [[device, { status: recording.status, since: Date.parse(recording.since), reason: recording.reason }]]
