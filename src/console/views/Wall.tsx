import { useSignal } from "@preact/signals"
import { useLayoutEffect, useRef } from "preact/hooks"
import { useConsole } from "../Context.ts"
import { plural } from "../format.ts"
import { recall, recallOrder, remember } from "../memory.ts"
import { say } from "../notices.ts"
import { Button } from "../parts/Button.tsx"
import { Empty, Failed } from "../parts/Shown.tsx"
import { Tile } from "./Tile.tsx"
import { columnsToFit, inOrder, type Layout, layouts, movedTo } from "./wallPlan.ts"

const layoutNames: Readonly<Record<Layout, string>> = {
  flow: "As they fit",
  fit: "All at once",
  1: "1 column",
  2: "2 columns",
  3: "3 columns",
  4: "4 columns"
}
const isLayout = (value: unknown): value is Layout => layouts.includes(value as Layout)

/** The height of what stands under each picture, in pixels: the style sheet's. */
const barHeight = 44

export const Wall = ({ isKiosk = false }: { readonly isKiosk?: boolean }) => {
  const { cameras } = useConsole()
  const chosen = useSignal<Layout | undefined>(isKiosk ? "fit" : recall("layout", isLayout))
  const order = useSignal<ReadonlyArray<string>>(recallOrder())
  const dragged = useSignal<string | undefined>(undefined)
  const wall = useRef<HTMLDivElement>(null)
  const known = cameras.list.value
  const shown = inOrder(known ?? [], order.value)
  const layout = chosen.value ?? usualLayout(shown.length)
  const columns = useColumns(wall, layout, shown.length)

  if (known === undefined) {
    const trouble = cameras.trouble.value
    return trouble === undefined ? (
      <p class="loading" role="status">
        Looking for cameras…
      </p>
    ) : (
      <Failed trouble={trouble} again={() => cameras.again()} />
    )
  }
  if (shown.length === 0) {
    return (
      <Empty icon="camera">
        <p>No cameras.</p>
        <p class="advice">
          Plug one in: it appears here by itself. Network cameras are added with <code>add_external_stream</code>, test
          patterns with the setting <code>cameras.synthetic</code>.
        </p>
      </Empty>
    )
  }

  const move = (device: string, target: string | undefined) => {
    if (target === undefined || target === device) return
    order.value = movedTo(
      shown.map((camera) => camera.device),
      device,
      target
    )
    remember("order", order.value)
  }
  /** by keyboard */
  const step = (device: string, by: number) => {
    const names = shown.map((camera) => camera.device)
    const to = names.indexOf(device) + by
    if (names[to] === undefined) return
    move(device, names[to])
    say({ kind: "done", what: `${device} is now at place ${to + 1} of ${names.length}.` }, 2500)
  }

  return (
    <>
      {isKiosk ? undefined : (
        <div class="toolbar">
          <p class="count">
            {plural(shown.length, "camera")}, {shown.filter(({ status }) => status === "CONNECTED").length} connected
          </p>
          <label class="choice">
            <span class="word">Layout</span>
            <select
              value={layout}
              onChange={({ currentTarget: { value } }) => {
                if (!isLayout(value)) return
                chosen.value = value
                remember("layout", value)
              }}
            >
              {layouts.map((name) => (
                <option key={name} value={name}>
                  {layoutNames[name]}
                </option>
              ))}
            </select>
          </label>
          <Button icon="expand" label="Full screen" onPress={() => void wall.current?.requestFullscreen()}>
            Full screen
          </Button>
        </div>
      )}
      <div
        ref={wall}
        class={`wall ${layout === "fit" ? "fit" : ""}`}
        style={columns === undefined ? {} : { gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}
      >
        {shown.map((camera) => (
          <div
            key={camera.device}
            class={`place ${dragged.value === camera.device ? "dragged" : ""}`}
            onDragOver={(event) => {
              if (dragged.value !== undefined) event.preventDefault()
            }}
            onDrop={(event) => {
              event.preventDefault()
              if (dragged.value !== undefined) move(dragged.value, camera.device)
            }}
          >
            <Tile
              camera={camera}
              onStep={(by) => step(camera.device, by)}
              onDrag={(isDragged) => void (dragged.value = isDragged ? camera.device : undefined)}
            />
          </div>
        ))}
      </div>
    </>
  )
}

/** On a large screen all at once, as long as there is something to be seen in each. */
const usualLayout = (count: number): Layout =>
  count <= 16 && matchMedia("(min-width: 60rem)").matches ? "fit" : "flow"

/** Undefined: the style sheet decides. */
const useColumns = (wall: { readonly current: HTMLElement | null }, layout: Layout, count: number) => {
  const fitting = useSignal(1)
  // before the first paint: an observer is told the size once there is one, and to ask for it would have all laid out at once
  useLayoutEffect(() => {
    const { current } = wall
    if (layout !== "fit" || current === null) return
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return
      const { height, width } = entry.contentRect
      fitting.value = columnsToFit(count, width, height, 4 / 3, barHeight)
    })
    observer.observe(current)
    return () => observer.disconnect()
  }, [layout, count])
  return layout === "flow" ? undefined : layout === "fit" ? fitting.value : Number(layout)
}
