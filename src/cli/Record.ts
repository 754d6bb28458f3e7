import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { CameraId } from "../../schema/Camera.ts"
import type { CameraClient } from "../../schema/client/CameraClient.ts"
import type { RecordingStarted, RecordingStatusUpdate } from "../../schema/Recording.ts"
import type { Origin } from "../config/Load.ts"
import { goesOn } from "../recording/Recording.ts"
import { CallFailed } from "./CallFailed.ts"
import { untilCut } from "./Following.ts"
import { connect } from "./Remote.ts"
import { cameraIn, linesOf, type Request, told } from "./Shell.ts"
import { sizeText } from "./Table.ts"
import { secondsIn } from "./Token.ts"

type Client = Pick<CameraClient["Service"], "call" | "notifications">

/** The service ends it should we be gone by then. */
const grace = 10
const longest = 86_400

/**
 * Records until the time is over; without one, until it is interrupted. Fails where the recording ends before that, or lacks
 * some of the time: with its files told all the same.
 */
export const record = Effect.fnUntraced(function* (
  { device, time }: { readonly device: string; readonly time: string | undefined },
  { isJson, place, print, tell }: Request,
  from: Origin
) {
  const camera = yield* cameraIn(device)
  const seconds = time === undefined ? longest : yield* secondsIn(time, "--for")
  const client = yield* connect(place, "operator", from)
  const { call } = client
  const duration = Math.min(longest, seconds + grace)
  const names = new Set<string>()
  /** why it lacks some of the time */
  let trouble: string | undefined
  const over = yield* updatesOf(client, camera).pipe(
    Stream.tap(({ filename, reason, status }) => {
      if (filename !== "") names.add(filename)
      if (isWell(status) || reason === undefined || reason === trouble) return Effect.void
      trouble = reason
      return tell(reason)
    }),
    Stream.filter(isLast),
    Stream.runHead,
    Effect.forkScoped({ startImmediately: true })
  )
  const started = yield* told(call.start_recording({ device: camera, duration }))
  names.add(started.filename)
  if (started.reason !== undefined) yield* tell(started.reason)
  if (!isJson) yield* print(`recording ${camera}${time === undefined ? " until Ctrl-C" : ""}\n`)

  const ended = Effect.fnUntraced(function* (why = "somebody stopped it") {
    const files = yield* filesOf(client, started, names)
    yield* print(isJson ? linesOf({ device: camera, status: "STOPPED", files, reason: why }) : `${files.join("\n")}\n`)
    return yield* new CallFailed({ detail: `the recording of ${camera} has ended before its time: ${why}` })
  })
  const stop = call.stop_recording({ device: camera }).pipe(
    Effect.catchTags({
      InvalidState: () => ended(trouble),
      NotFound: () => ended(trouble ?? "the camera was removed")
    }),
    Effect.flatMap((stopped) => {
      const { duration: video, file_size, files, reason = trouble } = stopped
      const text = isJson ? linesOf(stopped) : `${files.join("\n")}  (${video} s, ${sizeText(file_size)})\n`
      const flaw = `the recording of ${camera} is not as it should be: ${reason}`
      return Effect.andThen(print(text), reason === undefined ? Effect.void : new CallFailed({ detail: flaw }))
    }),
    told
  )
  const stillOn = `It may go on: it ends by itself ${duration} s after its start`
  const end = yield* Effect.raceAllFirst([
    Effect.as(Effect.sleep(Duration.seconds(seconds)), Option.none()),
    Fiber.join(over),
    Effect.mapError(untilCut(client, tell), ({ detail }) => new CallFailed({ detail: `${detail} ${stillOn}` }))
  ]).pipe(Effect.onInterrupt(() => stop.pipe(Effect.catch(({ message }) => tell(message)))))
  yield* Option.isSome(end) ? ended(end.value.reason) : stop
}, Effect.scoped)

/** Of the recording that is started next: what is told of the one before it ends with its start. */
const updatesOf = ({ notifications }: Client, camera: CameraId): Stream.Stream<RecordingStatusUpdate> =>
  notifications.pipe(
    Stream.flatMap((told) =>
      told.method === "recording_status_update" && told.params.device === camera
        ? Stream.succeed(told.params)
        : Stream.empty
    ),
    Stream.dropWhile(({ status }) => status !== "STARTING")
  )

const isWell = (status: RecordingStatusUpdate["status"]): boolean => status === "STARTING" || status === "RECORDING"

/** STOPPED and ERROR are also said of one that waits for its camera, or for room on the disk. */
const isLast = ({ filename, reason = "", status }: RecordingStatusUpdate): boolean =>
  status === "STOPPED" ? !reason.includes(goesOn) : status === "ERROR" && filename === ""

/** The files that are there of it, oldest first; where they cannot be listed, those that were told of. */
const filesOf = (
  { call }: Client,
  { device, start_time }: RecordingStarted,
  names: ReadonlySet<string>
): Effect.Effect<ReadonlyArray<string>> =>
  call.list_recordings({ limit: 1000 }).pipe(
    Effect.map(({ files }) =>
      files
        .filter((file) => file.device === device && Date.parse(file.modified_time) >= Date.parse(start_time))
        .map(({ filename }) => filename)
        .toReversed()
    ),
    Effect.orElseSucceed(() => [...names])
  )
