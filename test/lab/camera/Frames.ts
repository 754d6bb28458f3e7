import * as Effect from "effect/Effect"
import type { CameraSpec } from "./CameraSpec.ts"
import { accessUnits } from "./H264.ts"
import { jpegOf } from "./Jpeg.ts"
import type { Agreement } from "./Negotiation.ts"
import { darkPicture, picture, yuyvOf } from "./Picture.ts"

/** What a camera sends. */
export interface Frames {
  /**
   * The number of the first frame of a stream, where `number` would be next: H.264 begins with a keyframe, which is each
   * second's first.
   */
  readonly firstNumber: (agreement: Agreement, number: number) => number
  /** The frame that shows this number (modulo 65,536; H.264: modulo its loop of 10 s). */
  readonly frame: (agreement: Agreement, number: number) => Buffer
  /** A black one. */
  readonly darkFrame: (agreement: Agreement) => Buffer
  /** What no decoder takes for a picture. */
  readonly brokenFrame: Buffer
}

/** A JPEG without a header, between its two markers; raw video that ends too early; H.264 without a NAL unit. */
const garbage = Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(2000, 0x55), Buffer.from([0xff, 0xd9])])

export const makeFrames = Effect.fnUntraced(function* (spec: CameraSpec) {
  const profile = spec.h264 ?? "constrained baseline"
  const wanted = spec.formats
    .filter(({ pixelFormat }) => pixelFormat === "H264")
    .flatMap(({ sizes }) => sizes)
    .flatMap((size) => size.rates.map((rate) => ({ profile, width: size.width, height: size.height, rate })))
  const loops = yield* Effect.forEach(wanted, (loop) => Effect.map(accessUnits(loop), (units) => ({ ...loop, units })))
  const unitsOf = ({ rate, size }: Agreement): ReadonlyArray<Buffer> =>
    loops.find((loop) => loop.rate === rate && loop.width === size.width && loop.height === size.height)?.units ?? []
  const encoded = (agreement: Agreement, image: ReturnType<typeof picture>): Buffer =>
    agreement.format.pixelFormat === "YUYV" ? yuyvOf(image) : jpegOf(image, spec.huffmanTables ?? true)

  const frames: Frames = {
    firstNumber: ({ format, rate }, number) =>
      format.pixelFormat === "H264" ? Math.ceil(number / rate) * rate : number,
    frame: (agreement, number) => {
      const { format, size } = agreement
      if (format.pixelFormat !== "H264") return encoded(agreement, picture(size.width, size.height, number))
      const units = unitsOf(agreement)
      return units[number % units.length] ?? garbage
    },
    darkFrame: (agreement) => encoded(agreement, darkPicture(agreement.size.width, agreement.size.height)),
    brokenFrame: garbage
  }
  return frames
})
