import { useSignal } from "@preact/signals"
import * as Effect from "effect/Effect"
import type { Camera } from "../../../schema/Camera.ts"
import { InvalidState } from "../../../schema/Errors.ts"
import { useConsole } from "../Context.ts"
import { clockTime, plural, span } from "../format.ts"
import { useSecond } from "../hooks.ts"
import { act } from "../notices.ts"
import { addressOf, type Route } from "../routes.ts"
import { Button, roleNeeded } from "./Button.tsx"

interface Props {
  readonly camera: Camera
  /** with words beside the icon */
  readonly isWide?: boolean
}

/** Why nothing can be had of a camera now. */
const unusable = ({ device, status }: Camera): string | undefined =>
  status === "DISCONNECTED" ? `${device} is not connected.` : undefined

const leadTo = (label: string, to: Route) => ({ label, run: () => void (location.hash = addressOf(to)) })

/** Starts and stops a recording. It says that it records once bytes are on the disk, and not before. */
export const RecordButton = ({ camera, isWide = false }: Props) => {
  const { cameras, session } = useConsole()
  const { device } = camera
  const pending = useSignal<"start" | "stop" | undefined>(undefined)
  const recording = cameras.recording.value.get(device)
  const second = useSecond()
  // what is told unasked may be here before the reply
  const isBusy = pending.value === (recording === undefined ? "start" : "stop")
  const why = isBusy ? "It is being done." : roleNeeded(session.has("operator"), "operator")

  const toggle = async () => {
    pending.value = recording === undefined ? "start" : "stop"
    await (recording !== undefined
      ? act(
          Effect.tap(
            session.ask((call) => call.stop_recording({ device })),
            () => note("STOPPED")
          ),
          ({ duration, files }) => ({
            what: `Recording of ${device} stopped: ${clockTime(duration)} in ${plural(files.length, "file")}.`,
            action: leadTo("Play it", { view: "recordings", device, at: recording.since })
          })
        )
      : act(
          session
            .ask((call) => call.start_recording({ device }))
            .pipe(
              Effect.tap(() => note("RECORDING")),
              // somebody else has started it, and this role was not told
              Effect.tapError((error) => (error instanceof InvalidState ? note("RECORDING") : Effect.void))
            ),
          ({ filename }) => `${device} is being recorded: ${filename}`
        ))
    pending.value = undefined
  }
  const note = (status: "RECORDING" | "STOPPED") =>
    Effect.sync(() => {
      const known = cameras.recording.peek().get(device)?.status
      if (status !== known) cameras.noteRecording({ device, status, filename: "", duration: 0 })
    })

  if (recording === undefined) {
    const label = isBusy ? `Starting to record ${device}` : `Record ${device}`
    return (
      <Button
        icon="record"
        label={label}
        kind={isWide ? "plain" : "quiet"}
        why={why ?? unusable(camera)}
        onPress={toggle}
      >
        {isBusy ? "Starting…" : isWide ? "Record" : undefined}
      </Button>
    )
  }
  if (recording.status === "UNKNOWN") {
    return (
      <Button
        icon="lost"
        label={`Whether ${device} is still recorded is not known`}
        kind={isWide ? "plain" : "quiet"}
        why={`${device} was being recorded when the service was heard of last. Whether it still is shows when the page is connected again.`}
        onPress={toggle}
      >
        Not known
      </Button>
    )
  }
  // the second is looked at only where it is shown: who looks is drawn anew with each
  const words =
    recording.status === "RECORDING"
      ? clockTime((session.serverTime(second.value) - recording.since) / 1000)
      : recording.status === "STARTING"
        ? "Starting…"
        : "Waiting"
  return (
    <Button
      icon="stop"
      label={`Stop recording ${device}`}
      kind={recording.status === "ERROR" ? "waiting" : "recording"}
      why={why}
      onPress={toggle}
    >
      <span title={recording.reason}>
        <span class="unseen">Stop recording {device}, </span>
        {words}
      </span>
    </Button>
  )
}

export const SnapshotButton = ({ camera, isWide = false }: Props) => {
  const { session } = useConsole()
  const { device } = camera
  const isBusy = useSignal(false)
  const take = async () => {
    isBusy.value = true
    await act(
      session.ask((call) => call.take_snapshot({ device })),
      ({ age_ms, filename, tier_name }) => ({
        what: `Snapshot of ${device}: ${filename} (${tier_name}, ${span(age_ms)} old when taken).`,
        action: leadTo("Show it", { view: "snapshots" })
      })
    )
    isBusy.value = false
  }
  const why = isBusy.value
    ? "It is being taken."
    : (roleNeeded(session.has("operator"), "operator") ?? unusable(camera))
  return (
    <Button
      icon="shutter"
      label={`Take a snapshot of ${device}`}
      kind={isWide ? "plain" : "quiet"}
      why={why}
      onPress={take}
    >
      {isWide ? (isBusy.value ? "Taking…" : "Snapshot") : undefined}
    </Button>
  )
}
