import type { Mode } from "../device/Device.ts"

/** What a camera takes of a USB bus. Pure. */

/** Bits of a pixel as it is sent; what compresses takes about so much as cameras do it (MJPEG of good quality, H.264). */
const bits: Readonly<Record<string, number>> = {
  H264: 0.3,
  MJPG: 4,
  JPEG: 4,
  GREY: 8,
  NV12: 12,
  YU12: 12,
  YV12: 12,
  "411P": 12,
  RGB3: 24,
  BGR3: 24,
  RGB4: 32,
  BGR4: 32
}
/** Of most that are sent as they are. */
const usualBits = 16

/** Megabits a second of frames in this mode, about. */
export const megabitsOf = ({ height, pixelFormat, rate = 30, width }: Mode): number =>
  (width * height * rate * (bits[pixelFormat] ?? usualBits)) / 1e6

/** Of a high-speed bus cameras may reserve 80 % (USB 2.0, 5.6.4). */
export const highSpeed = 480
const reservable = 0.8 * highSpeed

/** One, two or three packets of 1024 bytes in each of 8000 microframes a second (USB 2.0, 5.6.3): a camera reserves one of these. */
const steps = [1, 2, 3].map((packets) => (packets * 1024 * 8 * 8000) / 1e6)

/** Whether the cameras of a high-speed bus that want so many megabits a second may find no room there, all at once. */
export const isCrowded = (wanted: ReadonlyArray<number>): boolean => {
  const reserved = wanted.map((megabits) => steps.find((step) => megabits <= step) ?? Infinity)
  return wanted.length > 1 && reserved.reduce((sum, one) => sum + one, 0) > reservable
}
