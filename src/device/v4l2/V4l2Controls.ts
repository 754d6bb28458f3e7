import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as RcMap from "effect/RcMap"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { monotonicMillis } from "../../ground/Time.ts"
import type { Mode } from "../Device.ts"
import type { Control, ControlInfo, ControlValue } from "../Control.ts"
import {
  controlOf,
  extControls,
  idOf,
  menuNameOf,
  menuPlaces,
  queryControl,
  queryMenu,
  queryNext,
  requests,
  valueOf
} from "./ControlIoctl.ts"
import { bufferType, getFormat, getParameters, modeOf, queryCapability } from "./Ioctl.ts"
import { Kernel, KernelError, type OpenNode } from "./Kernel.ts"

/**
 * A camera's controls could not be asked for or set. `code` is `TIMEOUT` (the camera does not answer), `CROWDED` (too
 * many other cameras do not), `REFUSED`, `GONE` (it was pulled out), or why its node could not be opened (an errno's
 * name, `NO_FFI`).
 */
export class ControlsFailed extends Schema.TaggedError<ControlsFailed>()("ControlsFailed", {
  code: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

/** Cameras answer within milliseconds; a silent one is given up by the kernel after 5 s (UVC_CTRL_CONTROL_TIMEOUT). */
const deadline = Duration.seconds(2)
/** Each camera that is silent occupies one of the kernel's places (`Kernel.ts`): some stay for opening cameras. */
const atOnce = 3
/** More than any camera has. */
const maxControls = 256

/** The controls of V4L2 nodes, which other programs may be streaming from. Each call takes 2 s at most. */
export class V4l2Controls extends Context.Service<
  V4l2Controls,
  {
    /** all controls, by id, with their values of now */
    readonly list: (path: string) => Effect.Effect<ReadonlyArray<Control>, ControlsFailed>
    /** the control with this id, as it may be set now; undefined: there is none */
    readonly describe: (path: string, id: number) => Effect.Effect<ControlInfo | undefined, ControlsFailed>
    /** sets it, and reads what the driver made of it: that may be another value */
    readonly set: (path: string, control: ControlInfo, value: ControlValue) => Effect.Effect<Control, ControlsFailed>
    /** the format, size and rate that are set now; undefined where the driver does not tell */
    readonly mode: (path: string) => Effect.Effect<Mode | undefined, ControlsFailed>
  }
>()("camera-service/device/v4l2/V4l2Controls") {
  static readonly layer = Layer.effect(
    V4l2Controls,
    Effect.gen(function* () {
      const kernel = yield* Kernel
      const scope = yield* Effect.scope
      const places = yield* Semaphore.make(atOnce)
      const turns = yield* RcMap.make({ lookup: (_path: string) => Semaphore.make(1) })
      /** the cameras that are being asked, and until when somebody waits for the answer */
      const asking = new Map<string, number>()

      /** One question at a time to a camera: its turn, its node and its place are held until the kernel is done with it. */
      const ask = <A>(path: string, question: (node: OpenNode) => Effect.Effect<A, ControlsFailed | KernelError>) =>
        Effect.gen(function* () {
          const now = yield* monotonicMillis
          const until = asking.get(path)
          // nobody waits any more for what the camera was asked: it hangs
          if (until !== undefined && until <= now) return yield* new ControlsFailed({ code: "TIMEOUT" })
          let isCrowded = false
          let idle: Effect.Effect<void> = Effect.void
          const answer = Effect.fnUntraced(function* () {
            yield* (yield* RcMap.get(turns, path)).takeScoped(1)
            const node = yield* kernel.open(path)
            isCrowded = true
            yield* places.takeScoped(1)
            isCrowded = false
            idle = node.idle
            asking.set(path, now + Duration.toMillis(deadline))
            yield* Effect.addFinalizer(() => Effect.sync(() => asking.delete(path)))
            return yield* question(node)
          })
          return yield* Effect.acquireUseRelease(
            Scope.fork(scope),
            (holding) => Scope.provide(answer(), holding),
            (holding) => Effect.forkIn(Effect.andThen(idle, Scope.close(holding, Exit.void)), scope)
          ).pipe(
            Effect.catchTag("KernelError", failureOf),
            Effect.timeoutOrElse({
              duration: deadline,
              orElse: () => Effect.fail(new ControlsFailed({ code: isCrowded ? "CROWDED" : "TIMEOUT" }))
            })
          )
        })

      return V4l2Controls.of({
        list: Effect.fn("V4l2Controls.list")((path: string) => ask(path, list)),
        describe: Effect.fn("V4l2Controls.describe")((path: string, id: number) =>
          ask(path, (node) => describe(node, id))
        ),
        set: Effect.fn("V4l2Controls.set")((path: string, control: ControlInfo, value: ControlValue) =>
          ask(path, (node) => set(node, control, value))
        ),
        mode: Effect.fn("V4l2Controls.mode")((path: string) => ask(path, mode))
      })
    })
  )
}

const goneCodes: ReadonlySet<string> = new Set(["ENOENT", "ENODEV", "ENXIO"])

const failureOf = ({ cause, code }: KernelError) =>
  Effect.fail(
    new ControlsFailed({ code: goneCodes.has(code) ? "GONE" : code, ...(cause === undefined ? {} : { cause }) })
  )

const list = Effect.fnUntraced(function* (node: OpenNode) {
  const controls: Array<Control> = []
  for (let last = 0; controls.length < maxControls;) {
    const answer = queryNext(last)
    // a driver that turns back would never end
    if (!(yield* node.ioctlAsync(requests.queryExtControl, answer)) || idOf(answer) <= last) break
    last = idOf(answer)
    const info = controlOf(answer)
    if (info === undefined) continue
    const control = yield* withMenu(node, info)
    controls.push({ ...control, value: yield* valueNow(node, control) })
  }
  yield* stillThere(node)
  return controls
})

const describe = Effect.fnUntraced(function* (node: OpenNode, id: number) {
  const answer = queryControl(id)
  const isKnown = yield* node.ioctlAsync(requests.queryExtControl, answer)
  const info = isKnown ? controlOf(answer) : undefined
  if (info !== undefined) return yield* withMenu(node, info)
  yield* stillThere(node)
  return undefined
})

const set = Effect.fnUntraced(function* (node: OpenNode, control: ControlInfo, value: ControlValue) {
  if (!(yield* node.ioctlAsync(requests.setExtControls, extControls(control, node.addressOf, value)))) {
    yield* stillThere(node)
    return yield* new ControlsFailed({ code: "REFUSED" })
  }
  return { ...control, value: yield* valueNow(node, control) }
})

const mode = Effect.fnUntraced(function* (node: OpenNode) {
  const capability = queryCapability(node.ioctl)
  if (typeof capability === "number") return yield* new ControlsFailed({ code: "GONE" })
  const type = bufferType(capability.deviceCaps)
  const [format, parameters] = [getFormat(type), getParameters(type)]
  if (!(yield* node.ioctlAsync(format.request, format.argument))) return undefined
  const hasRate = yield* node.ioctlAsync(parameters.request, parameters.argument)
  return modeOf(format.argument, hasRate ? parameters.argument : undefined)
})

const withMenu = Effect.fnUntraced(function* (node: OpenNode, info: ControlInfo) {
  const menu: Array<ControlInfo["menu"][number]> = []
  for (const place of menuPlaces(info)) {
    const answer = queryMenu(info, place)
    if (yield* node.ioctlAsync(requests.queryMenu, answer)) {
      menu.push({ value: place, name: menuNameOf(info, answer) })
    }
  }
  return { ...info, menu }
})

/** One that cannot be read now leaves the others their values. */
const valueNow = Effect.fnUntraced(function* (node: OpenNode, control: ControlInfo) {
  if (control.type === "button" || control.flags.has("writeOnly")) return undefined
  const argument = extControls(control, node.addressOf)
  return (yield* node.ioctlAsync(requests.getExtControls, argument)) ? valueOf(control, argument) : undefined
})

/** Why the kernel refused is not told; that the camera is no more shows when it does not say what it is, either. */
const stillThere = (node: OpenNode): Effect.Effect<void, ControlsFailed> =>
  Effect.suspend(() =>
    typeof queryCapability(node.ioctl) === "number" ? Effect.fail(new ControlsFailed({ code: "GONE" })) : Effect.void
  )
