/** Made by FFmpeg, 64 × 48: a test pattern, black, and gray as PNG. */
const bright =
  "/9j/4AAQSkZJRgABAgAAAQABAAD/2wBDAAgoKC8oLzc3Nzc3N0E8QUNDQ0FBQUFDQ0NISEhVVVVISEhDQ0hIUFBVVVxfXFdXVVdfX2RkZHh4c3OMjJGsrM//xACCAAADAQEBAQAAAAAAAAAAAAAFBAYDBwAIAQADAQEAAAAAAAAAAAAAAAAEBQYHCBAAAQMBBgUEAwEAAAAAAAAAAQIAEQMygSExExJRoULRQXEiscEEFGFSEQABAwMCBAUFAQAAAAAAAAABAAIDITERcUESkfCh0SLBBFGxgUIy8WH/wAARCAAwAEADASIAAhEAAxEA/9oADAMBAAIRAxEAPwDl3vKiE+vjC8skg1kkgcJ6YjjOUPVMHUTEk7Tt4gYnkzYI09kY57JxjdMTxi9rJZTIaimbGuM76Kmeyj2k5HY4NBhD9ashQxi5PZlx+TXVkrknsw6sNMWSCTB6ZMiWynHeLRJB9YOMNAQ014W8h8pAxgbQU/mee1lC7KkxHifERxnKP69wV0zGUwfBkfwuykaWnHutac4xumJ4xexCjAppHtIJMHplUiXdCeR1CTci52H7Xt1lMg0NOQevhZoqVSrA8h9s9q15ifE5JiOM5QxlMzqA+4kgwOqDJh0EjT2Rjns8xumPWL2A+V2eQ7XvbrKBkjbIcuqeG5rufLY9bLnFS0XkHrUtF5Bi7JlP+evqnhm3miM28xSpttlHNpLVbSXcFFNunhm3WkM26wCgpb/ZeWhRUcHqikszA5juzbpaHVd9uJLyBstA94wMie8ZzTSrgphP49UmzzHdmf1K/wDjmnu+jUrYv+HcuXfO4Gw7+KzWB3G0k/PoF8VQWQQhSpgPzpqHVd9vqR0DQLnt4J5COJ4B/wB+iSTRqE5cx3Zj9er/AJ5ju66lbF/w7dyrowDupr3zjDKGtr5Qa6nRf//Z"
const dark =
  "/9j/4AAQSkZJRgABAgAAAQABAAD/2wBDAAgoKC8oLzc3Nzc3N0E8QUNDQ0FBQUFDQ0NISEhVVVVISEhDQ0hIUFBVVVxfXFdXVVdfX2RkZHh4c3OMjJGsrM//xABLAAEBAAAAAAAAAAAAAAAAAAAACAEBAAAAAAAAAAAAAAAAAAAAABABAAAAAAAAAAAAAAAAAAAAABEBAAAAAAAAAAAAAAAAAAAAAP/AABEIADAAQAMBIgACEQADEQD/2gAMAwEAAhEDEQA/AJ/AAAAAAAAAAAAAAAAAAAAAAAB//9k="
const gray =
  "iVBORw0KGgoAAAANSUhEUgAAAEAAAAAwCAIAAAAuKetIAAAACXBIWXMAAAABAAAAAQBPJcTWAAAAlklEQVR4nNXOQREAAAyDMKRX+kTw4BYFYc9RByzqgEUdsKgDFnXAog5Y1AGLOmBRByzqgEUdsKgDFnXAog5Y1AGLOmBRByzqgEUdsKgDFnXAog5Y1AGLOmBRByzqgEUdsKgDFnXAog5Y1AGLOmBRByzqgEUdsKgDFnXAog5Y1AGLOmBRByzqgEUdsKgDFnXAog5Y1AHrADqdAQ+lBuUWAAAAAElFTkSuQmCC"

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))

export const png = bytesOf(gray)

const jpegs = { bright: bytesOf(bright), dark: bytesOf(dark) }

/** A JPEG like no other: its number stands in a comment behind the start of the image. */
export const numbered = (number: number, isDark = false): Uint8Array => {
  const jpeg = isDark ? jpegs.dark : jpegs.bright
  const text = new TextEncoder().encode(`picture ${number}`)
  const made = new Uint8Array(jpeg.length + 4 + text.length)
  made.set(jpeg.subarray(0, 2))
  made.set([0xff, 0xfe, 0, text.length + 2], 2)
  made.set(text, 6)
  made.set(jpeg.subarray(2), 6 + text.length)
  return made
}

/** Which picture this is. */
export const numberOf = (jpeg: Uint8Array): number | undefined => {
  const found = /picture (\d+)/.exec(new TextDecoder("latin1").decode(jpeg))?.[1]
  return found === undefined ? undefined : Number(found)
}
