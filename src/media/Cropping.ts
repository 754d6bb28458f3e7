import type { Bits } from "./Bits.ts"

/** What is coded of a picture and not shown, in units of its chroma. */
interface Cropping {
  readonly columns: number
  readonly rows: number
}

/** As a sequence parameter set has it (H.264, 7.3.2.1.1: frame_cropping; H.265, 7.3.2.2.1: conformance_window). */
export const readCropping = (read: Bits): Cropping => {
  if (read.take(1) !== 1) return { columns: 0, rows: 0 }
  const [left, right, top, bottom] = [read.unsigned(), read.unsigned(), read.unsigned(), read.unsigned()]
  return { columns: left + right, rows: top + bottom }
}

/** How many pixels such a unit is wide and high, by the format of the chroma (0: there is none, or it has planes of its own). */
export const cropUnit = (chromaFormat: number): { readonly width: number; readonly height: number } => ({
  width: chromaFormat === 1 || chromaFormat === 2 ? 2 : 1,
  height: chromaFormat === 1 ? 2 : 1
})
