/** An address at the end of a line that was cut: nothing tells any more whether what is left of it is a password. */
const halfAddress = /[a-z][a-z0-9+.-]{0,31}:\/\/\S*$/i

/**
 * Splits bytes into lines (`\n` or `\r`) and hands each one on. A line longer than `maxBytes` is cut there, so a program
 * that never ends its line costs no memory.
 */
export const lineSplitter = (maxBytes: number, onLine: (line: string) => void) => {
  const decoder = new TextDecoder()
  const held = new Uint8Array(maxBytes)
  let length = 0
  let isCut = false
  const hold = (bytes: Uint8Array) => {
    const part = bytes.subarray(0, maxBytes - length)
    isCut ||= part.length < bytes.length
    held.set(part, length)
    length += part.length
  }
  const flush = () => {
    const line = decoder.decode(held.subarray(0, length))
    if (length > 0) onLine(isCut ? line.replace(halfAddress, "…") : line)
    length = 0
    isCut = false
  }
  return {
    push: (chunk: Uint8Array) => {
      let start = 0
      for (let i = 0; i < chunk.length; i++) {
        if (chunk[i] === 10 || chunk[i] === 13) {
          hold(chunk.subarray(start, i))
          flush()
          start = i + 1
        }
      }
      hold(chunk.subarray(start))
    },
    /** Hands on what has no line end (yet). */
    flush
  }
}

/** The last `count` lines that were added. */
export const tail = (count: number) => {
  const lines: Array<string> = []
  return {
    add: (line: string) => {
      lines.push(line)
      if (lines.length > count) lines.shift()
    },
    text: () => lines.join("\n")
  }
}
