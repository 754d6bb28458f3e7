import type { Signal } from "@preact/signals"
import { useConsole } from "../Context.ts"

/** Which camera is shown; empty: all of them. */
export const CameraChoice = ({ device }: { readonly device: Signal<string> }) => {
  const { cameras } = useConsole()
  return (
    <label class="choice">
      <span class="word">Camera</span>
      <select value={device.value} onChange={({ currentTarget: { value } }) => void (device.value = value)}>
        <option value="">All cameras</option>
        {(cameras.list.value ?? []).map((camera) => (
          <option key={camera.device} value={camera.device}>
            {camera.device} · {camera.name}
          </option>
        ))}
      </select>
    </label>
  )
}
