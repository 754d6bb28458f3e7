import { useRef } from "preact/hooks"
import type { Camera } from "../../../schema/Camera.ts"
import { LivePicture } from "../live/LivePicture.tsx"
import { Button } from "../parts/Button.tsx"
import { Icon } from "../parts/Icon.tsx"
import { RecordButton, SnapshotButton } from "../parts/CameraButtons.tsx"
import { RecordingTrouble } from "../parts/RecordingTrouble.tsx"
import { addressOf } from "../routes.ts"
import { statusWords } from "../words.ts"

interface Props {
  readonly camera: Camera
  /** one place earlier (-1) or later (1) */
  readonly onStep: (by: number) => void
  readonly onDrag: (isDragged: boolean) => void
}

const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }

export const Tile = ({ camera, onDrag, onStep }: Props) => {
  const { device, name, status } = camera
  const tile = useRef<HTMLElement>(null)
  return (
    <article ref={tile} class="tile" aria-label={`${device}: ${name}, ${statusWords[status]}`}>
      <LivePicture camera={camera} />
      <RecordingTrouble device={device} />
      <div class="bar">
        <button
          type="button"
          class="grip"
          draggable
          aria-label={`Move ${device}: drag, or use the arrow keys`}
          title="Drag to another place, or use the arrow keys"
          onDragStart={(event) => {
            if (tile.current !== null) event.dataTransfer?.setDragImage(tile.current, 20, 20)
            onDrag(true)
          }}
          onDragEnd={() => onDrag(false)}
          onKeyDown={(event) => {
            const by = steps[event.key]
            if (by === undefined) return
            event.preventDefault()
            onStep(by)
          }}
        >
          <Icon name="grip" />
        </button>
        <a class="title" href={addressOf({ view: "camera", device })}>
          <span class="device">{device}</span> <span class="name">{name}</span>
        </a>
        <span class="actions">
          <RecordButton camera={camera} />
          <SnapshotButton camera={camera} />
          <Button
            icon="expand"
            label={`Full screen: ${device}`}
            kind="quiet"
            onPress={() => void tile.current?.requestFullscreen()}
          />
        </span>
      </div>
    </article>
  )
}
