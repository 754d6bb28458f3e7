import type { Page } from "playwright-core"
import { clockBits, clockSquare } from "../../../src/device/TestPattern.ts"

export const clockSpan = 2 ** clockBits

/**
 * When the pictures that these videos show were made, all read in one go: the lower bits of epoch milliseconds, from the row
 * of squares at the bottom left of a synthetic camera's picture. Not a number: there is no picture.
 */
export const clocksIn = (page: Page, videos: string): Promise<ReadonlyArray<number>> =>
  page.evaluate(
    ({ bits, selector, square }) =>
      [...document.querySelectorAll<HTMLVideoElement>(selector)].map((video) => {
        const canvas = document.createElement("canvas")
        const context = canvas.getContext("2d")
        if (context === null || video.videoWidth === 0) return Number.NaN
        canvas.width = video.videoWidth
        canvas.height = square
        context.drawImage(video, 0, square - video.videoHeight)
        const { data, width } = context.getImageData(0, 0, canvas.width, square)
        return Array.from({ length: bits }, (_, bit) => {
          const at = ((square / 2) * width + bit * square + square / 2) * 4
          return (data[at] ?? 0) > 127 ? 2 ** bit : 0
        }).reduce((sum, one) => sum + one, 0)
      }),
    { bits: clockBits, selector: videos, square: clockSquare }
  )
