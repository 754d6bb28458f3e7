import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { RecordingStatusUpdate } from "../../schema/Recording.ts"
import type { Incident } from "./Incidents.ts"
import type { Recording } from "./Recording.ts"
import type { Segment } from "./Segments.ts"

/** What the camera says of why nothing can be written. */
interface Trouble {
  readonly status: "STOPPED" | "ERROR"
  readonly reason: string
  /** the recording ends with it */
  readonly isFinal: boolean
  /** what is told when the recording goes on after it */
  readonly over: string
  isTold: boolean
  isOver: boolean
}

/** FFmpeg ended, and the camera has not said yet that it is to blame. */
interface Loss {
  readonly reason: string
}

type Turn =
  | Incident
  | { readonly _tag: "Unexplained"; readonly loss: Loss }
  | { readonly _tag: "Harmless"; readonly trouble: Trouble }

/**
 * FFmpeg ends up to 130 ms after its camera is gone (measured), and the kernel's word of it comes within 25 ms: on a busy
 * machine after that end.
 */
const grace = Duration.seconds(1)

/** What is done to a recording on its way, by who can do it. */
export interface Hands {
  /** about this segment */
  readonly tell: (
    segment: Segment | undefined,
    status: RecordingStatusUpdate["status"],
    reason?: string
  ) => Effect.Effect<void>
  /** makes the segment whole on disk, if it is not already */
  readonly finish: (segment: Segment) => Effect.Effect<void>
  /** has the recording ended, soon */
  readonly end: (reason: string) => Effect.Effect<unknown>
}

/**
 * Follows a recording through its incidents: a segment is finished as soon as nothing more comes to it, and a gap is told
 * once, with the one reason for it, whichever of its signs came first. `happened` takes an incident; `run` never ends.
 */
export const makeCourse = Effect.fnUntraced(function* (
  recording: Recording,
  resumeWithin: Duration.Duration,
  { end, finish, tell }: Hands
) {
  const turns = yield* Queue.unbounded<Turn>()
  let current = recording.segments.at(-1)
  let trouble: Trouble | undefined
  let loss: Loss | undefined

  const afterGrace = (turn: Turn) => Effect.forkIn(Effect.delay(Queue.offer(turns, turn), grace), recording.scope)

  const tellTrouble = Effect.suspend((): Effect.Effect<unknown> => {
    if (trouble === undefined || trouble.isTold) return Effect.void
    trouble.isTold = true
    return trouble.isFinal ? end(trouble.reason) : tell(current, trouble.status, trouble.reason)
  })

  const tellLoss = Effect.suspend(() => {
    const { reason } = loss ?? {}
    loss = undefined
    return reason === undefined ? Effect.void : tell(current, "ERROR", reason)
  })

  const began = Effect.fnUntraced(function* (segment: Segment) {
    // what failed on the way back is no news once it is back
    if (trouble?.isTold === true) loss = undefined
    yield* tellLoss
    const wasWriting = recording.isWriting
    recording.isWriting = true
    if (current !== undefined) yield* finish(current)
    current = segment
    let over: string | undefined
    if (!wasWriting && trouble !== undefined) {
      // a fault is over when there is video again; a camera that is still away may have left some behind
      if (trouble.isOver || trouble.status === "ERROR") {
        over = trouble.over
        trouble = undefined
      } else {
        trouble.isTold = false
      }
    }
    yield* tell(segment, "RECORDING", over)
  })

  const lost = Effect.fnUntraced(function* (segment: Segment | undefined, reason: string) {
    if (segment === current) recording.isWriting = false
    // a camera that is back has nothing to do with what fails now
    if (trouble === undefined || (trouble.isTold && trouble.isOver)) {
      loss = { reason }
      yield* afterGrace({ _tag: "Unexplained", loss })
    }
    if (segment !== undefined) yield* finish(segment)
    yield* tellTrouble
  })

  const troubled = (now: Omit<Trouble, "isTold" | "isOver">) =>
    Effect.suspend(() => {
      trouble = { ...now, isTold: false, isOver: false }
      loss = undefined
      // while something is written its end is waited for: the file is told of when it is whole
      return recording.isWriting ? Effect.void : tellTrouble
    })

  const works = Effect.suspend(() => {
    if (trouble === undefined) return Effect.void
    trouble.isOver = true
    return recording.isWriting ? afterGrace({ _tag: "Harmless", trouble }) : Effect.void
  })

  const take = (turn: Turn): Effect.Effect<unknown> => {
    switch (turn._tag) {
      case "Began":
        return began(turn.segment)
      case "Lost":
        return lost(turn.segment, turn.reason)
      case "Unplugged":
        return troubled(unplugged(resumeWithin))
      case "Faulty":
        return troubled(faulty(turn.detail))
      case "Works":
        return works
      case "Unexplained":
        return turn.loss === loss ? tellLoss : Effect.void
      case "Harmless":
        return Effect.sync(() => {
          if (turn.trouble === trouble && recording.isWriting) trouble = undefined
        })
    }
  }

  return {
    happened: (incident: Incident) => Queue.offer(turns, incident),
    run: Effect.forever(Effect.flatMap(Queue.take(turns), take))
  }
})

const unplugged = (resumeWithin: Duration.Duration) => {
  const isFinal = Duration.isZero(resumeWithin)
  const then = `the recording goes on by itself if it is back within ${Duration.toSeconds(resumeWithin)} s`
  return {
    status: "STOPPED" as const,
    reason: isFinal ? "the camera was unplugged" : `the camera was unplugged; ${then}`,
    isFinal,
    over: "the camera is back"
  }
}

const faulty = (detail: string) => ({
  status: "ERROR" as const,
  reason: `the camera has a fault: ${detail}; the recording goes on by itself when it works again`,
  isFinal: false,
  over: "the camera works again"
})
