import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"

/** Luminance of each pixel of a picture, row by row; in another size if one is given. */
export const grayOf = (file: string, size?: { readonly width: number; readonly height: number }) =>
  Effect.callback<Buffer>((resume) => {
    const scale = size === undefined ? [] : ["-vf", `scale=${size.width}:${size.height}:flags=area`]
    const args = ["-v", "error", "-nostdin", "-i", `file:${file}`, ...scale, "-frames:v", "1"]
    execFile(
      "ffmpeg",
      [...args, "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"],
      { encoding: "buffer", maxBuffer: 64 << 20 },
      (error, stdout) => resume(error === null ? Effect.succeed(stdout) : Effect.die(error))
    )
  })
