import type { Device } from "../device/Device.ts"
import { jpegSize, splitter, withTables } from "../media/Jpeg.ts"
import type { Picture } from "./Pictures.ts"
import { warmUp } from "./WarmUp.ts"

/** Makes pictures of what one FFmpeg writes; a reader lives as long as its FFmpeg. */
export const pictureReader = (kind: Device["kind"]) => {
  const { push } = splitter()
  const isGood = warmUp(kind)
  /** `came`: whether any picture became whole with this chunk; `good`: those that are fit to be shown. */
  return (chunk: Uint8Array, capturedAt: number): { readonly came: boolean; readonly good: ReadonlyArray<Picture> } => {
    const good: Array<Picture> = []
    let came = false
    for (const jpeg of push(chunk)) {
      const size = jpegSize(jpeg)
      if (size === undefined) continue
      came = true
      if (isGood(jpeg, capturedAt)) good.push({ jpeg: withTables(jpeg), ...size, capturedAt })
    }
    return { came, good }
  }
}
