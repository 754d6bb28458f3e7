import type { ReadInput } from "../device/Input.ts"
import type { Moment } from "../ground/Time.ts"
import { jpegSize, splitter, withTables } from "../media/Jpeg.ts"
import type { Picture } from "./Pictures.ts"
import { warmUp } from "./WarmUp.ts"

/** Makes pictures of what one FFmpeg writes; a reader lives as long as its FFmpeg. */
export const pictureReader = ({ wakesDark }: ReadInput) => {
  const { push } = splitter()
  const isGood = warmUp(wakesDark)
  /** `came`: whether any picture became whole with this chunk; `good`: those that are fit to be shown. */
  return (chunk: Uint8Array, captured: Moment): { readonly came: boolean; readonly good: ReadonlyArray<Picture> } => {
    const good: Array<Picture> = []
    let came = false
    for (const jpeg of push(chunk)) {
      const size = jpegSize(jpeg)
      if (size === undefined) continue
      came = true
      if (isGood(jpeg, captured.monotonic)) good.push({ jpeg: withTables(jpeg), ...size, captured })
    }
    return { came, good }
  }
}
