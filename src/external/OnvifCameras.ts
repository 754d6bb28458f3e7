import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import { atDevice } from "./onvif/OnvifTarget.ts"
import { OnvifClient, type OnvifDevice } from "./onvif/OnvifClient.ts"
import { nameIn } from "./onvif/ProbeMessages.ts"
import { type Answer, WsDiscovery } from "./onvif/WsDiscovery.ts"
import type { SeenStream } from "./SeenStreams.ts"
import { Reach } from "./Reach.ts"
import { onvifTarget } from "./StreamTargets.ts"
import { parseStreamUrl } from "./StreamUrl.ts"

/** So many are asked at once what they are. */
const atOnce = 8
/** A camera that takes longer is none that can be watched. */
const patience = "10 seconds"
const maxErrors = 32

/** Finds ONVIF cameras in the networks of this machine. */
export class OnvifCameras extends Context.Service<
  OnvifCameras,
  {
    /** tells each as soon as it has said what it is; gives what could not be looked at, for people */
    readonly find: (found: (stream: SeenStream) => Effect.Effect<void>) => Effect.Effect<ReadonlyArray<string>>
  }
>()("camera-service/external/OnvifCameras") {
  static readonly layer = Layer.effect(
    OnvifCameras,
    Effect.gen(function* () {
      const { search } = yield* WsDiscovery
      const client = yield* OnvifClient
      const reach = yield* Reach

      /** What a camera says that answered; nobody's password is shown to it. */
      const meet = Effect.fnUntraced(function* (answer: Answer) {
        const url = yield* Effect.fromResult(parseStreamUrl(addressOf(answer)))
        const device = yield* client.describe(onvifTarget(url, yield* reach.target(url)))
        const error = device.isLocked ? locked : device.errors[0]
        const serial = device.information?.serial || answer.endpoint
        const stream: SeenStream = {
          url,
          type: "onvif",
          name: nameIn(answer.scopes) ?? nameOf(device) ?? `ONVIF ${answer.from}`,
          capabilities: capabilitiesOf(device),
          ...(serial === "" ? {} : { lasting: `onvif:${serial}` })
        }
        return { stream, error: error === undefined ? undefined : `${url.text}: ${error}` }
      })

      const find = Effect.fn("OnvifCameras.find")(function* (found: (stream: SeenStream) => Effect.Effect<void>) {
        const meetings = yield* FiberSet.make<void>()
        const turn = yield* Semaphore.make(atOnce)
        const errors = new Set<string>()
        const tell = (error: string): void => {
          if (errors.size < maxErrors) errors.add(error)
        }
        const meeting = (answer: Answer) =>
          meet(answer).pipe(
            Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail({ _tag: "TooSlow" as const }) }),
            Effect.matchEffect({
              onFailure: (why) => Effect.sync(() => tell(`${answer.from}: ${whyNot(why)}`)),
              onSuccess: ({ error, stream }) => {
                if (error !== undefined) tell(error)
                return found(stream)
              }
            }),
            turn.withPermit
          )
        const failed = yield* search((answer) => Effect.asVoid(FiberSet.run(meetings, meeting(answer))))
        yield* FiberSet.awaitEmpty(meetings)
        return [...failed, ...errors]
      }, Effect.scoped)

      return OnvifCameras.of({ find })
    })
  )
}

const locked = "it wants a user and a password; add it with them"

interface WhyNot {
  readonly _tag: string
  readonly detail?: string
  readonly why?: string
}

const whyNot = ({ _tag, detail, why }: WhyNot): string => {
  if (_tag === "TooSlow") return `it has not said what it is within ${patience}`
  if (_tag === "AddressRefused") return `it is ${why}`
  return detail ?? "its address is none that is understood"
}

/** Where the device service is: at the address that answered, whatever the device names. */
const addressOf = ({ addresses, from }: Answer): string => {
  const at = { address: from, port: 0, isSecure: false, path: "/" }
  const urls = addresses.flatMap((told) => atDevice(told, at, "http:", "https:")?.href ?? [])
  return urls[0] ?? ""
}

const nameOf = ({ information }: OnvifDevice): string | undefined => {
  const name = `${information?.manufacturer ?? ""} ${information?.model ?? ""}`.trim().slice(0, 64)
  return name === "" ? undefined : name
}

/** What it carries: `h264`, and the size of its first stream. */
const capabilitiesOf = ({ streams }: OnvifDevice): ReadonlyArray<string> => {
  const [first] = streams
  const encodings = new Set(streams.flatMap(({ encoding }) => encoding?.toLowerCase().slice(0, 16) ?? []))
  return [...encodings, ...(first?.width === undefined ? [] : [`${first.width}x${first.height}`])]
}
