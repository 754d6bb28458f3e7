import type { Page } from "playwright-core"
import { clockBits, clockSquare } from "../../../src/device/TestPattern.ts"

/**
 * How old so many pictures are when the first video of the page shows them, one after the other: milliseconds from the moment
 * that a synthetic camera made them, by the clock in them, on the same machine. What the screen itself takes is not in it.
 */
export const agesIn = (page: Page, count: number): Promise<ReadonlyArray<number>> =>
  page.evaluate(
    async ({ bits, pictures, square }) => {
      const video = document.querySelector("video")
      const canvas = document.createElement("canvas")
      const context = canvas.getContext("2d", { willReadFrequently: true })
      if (video === null || context === null) return []
      canvas.width = video.videoWidth
      canvas.height = square
      const found: Array<number> = []
      while (found.length < pictures) {
        const shown = await new Promise<number>((resolve) => {
          video.requestVideoFrameCallback((_, { expectedDisplayTime }) =>
            resolve(performance.timeOrigin + expectedDisplayTime)
          )
        })
        context.drawImage(video, 0, square - video.videoHeight)
        const { data, width } = context.getImageData(0, 0, canvas.width, square)
        let made = 0
        for (let bit = 0; bit < bits; bit++) {
          const at = ((square / 2) * width + bit * square + square / 2) * 4
          if ((data[at] ?? 0) > 127) made += 2 ** bit
        }
        found.push((shown - made) % 2 ** bits)
      }
      return found
    },
    { bits: clockBits, pictures: count, square: clockSquare }
  )

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
