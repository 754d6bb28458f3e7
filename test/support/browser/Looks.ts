import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import pixelmatch from "pixelmatch"
import type { Page } from "playwright-core"
import { PNG } from "pngjs"

const folder = join(import.meta.dirname, "../../fixtures/looks")
/** Where what does not look as it should is left, beside what differs. */
const found = join(import.meta.dirname, "../../../dist/looks")

/** Pictures are kept at half their size: what a person would notice is in them, and what a font does at an edge is not. */
const scale = 2
/** Percent of the pixels: a button that has gone is more, a line that breaks a pixel further left is less. */
const tolerated = 1

/** Sheets of a script are no style that the page's policy forbids. */
const veil = `
  * { font-family: "DejaVu Sans", sans-serif !important; transition: none !important; caret-color: transparent !important; }
  video, canvas, img, .chip, .obstacle, .notices, time, dd, td, .state, .reasons, meter, polyline, output, code, .facts,
  .tick, .span, .gap, .head, .name, tbody th, input[type="datetime-local"], .health { visibility: hidden !important; }
`

/**
 * Compares what is to be seen with how it looked when somebody last looked at it (`LOOKS=write`: it is that from now on);
 * what is different each time is veiled. Gives the percentage of pixels that differ beyond what is tolerated; 0: it is alike.
 */
export const difference = async (page: Page, name: string): Promise<number> => {
  await page.evaluate(async (text) => {
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(text)
    document.adoptedStyleSheets = [sheet]
    scrollTo(0, 0)
    ;(document.activeElement as HTMLElement | null)?.blur()
    await document.fonts.ready
  }, veil)
  const now = halved(PNG.sync.read(await page.screenshot({ animations: "disabled" })))
  await page.evaluate(() => void (document.adoptedStyleSheets = []))
  const file = join(folder, `${name}.png`)
  if (process.env["LOOKS"] === "write") {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, PNG.sync.write(now, { colorType: 2 }))
    return 0
  }
  if (!existsSync(file)) throw new Error(`${file} is not there: LOOKS=write makes it`)
  const before = PNG.sync.read(readFileSync(file))
  if (before.width !== now.width || before.height !== now.height) return 100
  const between = new PNG({ width: now.width, height: now.height })
  const pixels = pixelmatch(before.data, now.data, between.data, now.width, now.height, { threshold: 0.2 })
  const percent = (100 * pixels) / (now.width * now.height)
  if (percent <= tolerated) return 0
  mkdirSync(found, { recursive: true })
  writeFileSync(join(found, `${name}.png`), PNG.sync.write(now))
  writeFileSync(join(found, `${name}-differs.png`), PNG.sync.write(between))
  return percent
}

/** Each pixel is the mean of four. */
const halved = ({ data, height, width }: PNG): PNG => {
  const small = new PNG({ width: Math.floor(width / scale), height: Math.floor(height / scale) })
  for (let y = 0; y < small.height; y++) {
    for (let x = 0; x < small.width; x++) {
      for (let channel = 0; channel < 4; channel++) {
        let sum = 0
        for (let at = 0; at < scale * scale; at++) {
          const [dx, dy] = [at % scale, Math.floor(at / scale)]
          sum += data[((y * scale + dy) * width + x * scale + dx) * 4 + channel] ?? 0
        }
        small.data[(y * small.width + x) * 4 + channel] = Math.round(sum / scale ** 2)
      }
    }
  }
  return small
}
