import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { useEffect, useRef } from "preact/hooks"
import { useConsole } from "../Context.ts"
import { useAsked } from "../hooks.ts"
import { act, say } from "../notices.ts"
import { roleNeeded } from "../parts/Button.tsx"
import { Icon, type IconName } from "../parts/Icon.tsx"

/** It stops by itself a second after it was told last, so it is told anew. */
const toldEvery = "500 millis"

interface Move {
  readonly icon: IconName
  readonly label: string
  readonly velocity: { readonly pan?: number; readonly tilt?: number; readonly zoom?: number }
}

const moves: ReadonlyArray<Move> = [
  { icon: "left", label: "Pan left", velocity: { pan: -0.5 } },
  { icon: "up", label: "Tilt up", velocity: { tilt: 0.5 } },
  { icon: "down", label: "Tilt down", velocity: { tilt: -0.5 } },
  { icon: "right", label: "Pan right", velocity: { pan: 0.5 } },
  { icon: "zoomOut", label: "Zoom out", velocity: { zoom: -0.5 } },
  { icon: "zoomIn", label: "Zoom in", velocity: { zoom: 0.5 } }
]

/** Moves a camera that can be moved, for as long as a button is held. */
export const MovePad = ({ device }: { readonly device: string }) => {
  const { session } = useConsole()
  const capabilities = useAsked((call) => call.get_camera_capabilities({ device }), [device]).state.value
  const moving = useRef<Fiber.Fiber<unknown, unknown> | undefined>(undefined)

  const stop = () => {
    const { current } = moving
    if (current === undefined) return
    moving.current = undefined
    void act(
      Effect.andThen(
        Fiber.interrupt(current),
        session.ask((call) => call.ptz_stop({ device }))
      ),
      () => undefined
    )
  }
  const move = ({ velocity }: Move): void => {
    const why = roleNeeded(session.has("operator"), "operator")
    if (why !== undefined) return void say({ kind: "failed", what: why })
    stop()
    const told = session.ask((call) => call.ptz_move({ device, ...velocity }))
    moving.current = Effect.runFork(
      told.pipe(
        Effect.repeat(Schedule.spaced(toldEvery)),
        Effect.catch((error) => {
          // there is nothing to stop
          moving.current = undefined
          return Effect.promise(() => act(Effect.fail(error), () => undefined))
        })
      )
    )
  }
  // also where the page goes elsewhere, or to another camera
  useEffect(() => stop, [device])

  if (capabilities._tag !== "Loaded" || !capabilities.value.ptz) return undefined
  return (
    <section class="card" aria-labelledby="moveTitle">
      <h2 id="moveTitle">Move</h2>
      <p class="advice">It moves while a button is held.</p>
      <div class="actions">
        {moves.map((one) => (
          <button
            key={one.icon}
            type="button"
            class="button plain iconOnly"
            aria-label={one.label}
            aria-disabled={!session.has("operator")}
            title={one.label}
            onPointerDown={(event) => {
              // the button hears of the release wherever that is
              event.currentTarget.setPointerCapture(event.pointerId)
              move(one)
            }}
            onLostPointerCapture={stop}
            onKeyDown={({ key, repeat }) => {
              if (!repeat && (key === "Enter" || key === " ")) move(one)
            }}
            onKeyUp={stop}
            onBlur={stop}
          >
            <Icon name={one.icon} />
          </button>
        ))}
      </div>
    </section>
  )
}
