/**
 * The picture of a lab camera: colour bars with a bar that moves, and along the top a row of squares that hold the frame's
 * number. It is made of cells of 16 by 16 pixels, each of one colour, as a JPEG's and H.264's blocks are.
 */

export const cellPixels = 16

/** Squares in the row: white, black, the number's bits from the lowest, and two that hold how many of those are white. */
export const squares = 20
/** A number's bits. */
const numberBits = 16
/** Numbers begin again after this many. */
const numbers = 2 ** numberBits

/** The width that the row of squares is read at: a square is one cell then. */
export const smallestWidth = squares * cellPixels

const checkOf = (number: number): number =>
  Array.from({ length: numberBits }, (_, bit) => (number >> bit) & 1).reduce((sum, bit) => sum + bit, 0) % 4

/** Which squares are white. */
const squaresOf = (number: number): ReadonlyArray<boolean> => {
  const check = checkOf(number)
  const bits = Array.from({ length: numberBits }, (_, bit) => ((number >> bit) & 1) === 1)
  return [true, false, ...bits, (check & 1) === 1, (check & 2) === 2]
}

/** The number that these squares hold; undefined when they hold none. */
export const numberOf = (white: ReadonlyArray<boolean>): number | undefined => {
  const number = white.slice(2, 2 + numberBits).reduce((sum, isWhite, bit) => sum + (isWhite ? 2 ** bit : 0), 0)
  return squaresOf(number).every((isWhite, i) => isWhite === white[i]) ? number : undefined
}

/** Y, Cb, Cr of ITU-R BT.601 in the limited range, which is right in both ranges. */
type Colour = readonly [y: number, cb: number, cr: number]

const white: Colour = [235, 128, 128]
const black: Colour = [16, 128, 128]
const bars: ReadonlyArray<Colour> = [
  [180, 128, 128],
  [162, 44, 142],
  [131, 156, 44],
  [112, 72, 58],
  [84, 184, 198],
  [65, 100, 212],
  [35, 212, 114]
]

export interface Picture {
  readonly width: number
  readonly height: number
  /** row by row; the last row may reach beyond the picture */
  readonly cells: ReadonlyArray<ReadonlyArray<Colour>>
}

const columnsOf = (width: number): number => Math.ceil(width / cellPixels)

export const picture = (width: number, height: number, number: number): Picture => {
  const columns = columnsOf(width)
  const edge = Math.floor(columns / squares)
  const isWhite = squaresOf(number % numbers)
  const top = Array.from({ length: columns }, (_, column) =>
    isWhite[Math.floor(column / edge)] === true ? white : black
  )
  const moving = number % columns
  const body = Array.from({ length: columns }, (_, column) =>
    column === moving ? white : (bars[Math.floor((column * bars.length) / columns)] ?? black)
  )
  return { width, height, cells: Array.from({ length: columnsOf(height) }, (_, row) => (row < edge ? top : body)) }
}

/** What a camera sees that has just been woken. */
export const darkPicture = (width: number, height: number): Picture => {
  const row = Array.from({ length: columnsOf(width) }, () => black)
  return { width, height, cells: Array.from({ length: columnsOf(height) }, () => row) }
}

/** As YUYV: two pixels are Y Cb Y Cr. */
export const yuyvOf = ({ cells, height, width }: Picture): Buffer => {
  const bytes = Buffer.alloc(width * height * 2)
  cells.forEach((row, i) => {
    const line = Buffer.concat(row.map(([y, cb, cr]) => Buffer.alloc(cellPixels * 2, Buffer.from([y, cb, y, cr]))))
    for (let y = i * cellPixels; y < Math.min((i + 1) * cellPixels, height); y++) line.copy(bytes, y * width * 2)
  })
  return bytes
}
