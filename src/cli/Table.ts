/** Columns as wide as what is in them, the last one cut where the line would be longer than `width`. Pure. */
export const table = (
  heads: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  width = Infinity
): string => {
  const all = [heads, ...rows.map((row) => row.map(printable))]
  const widths = heads.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)))
  return all
    .map((row) =>
      cut(row.map((cell, i) => (i === heads.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join("  "), width)
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join("")
}

/** A camera's name may be anything; a terminal obeys what it is sent. */
const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, "?")

const cut = (line: string, width: number): string => (line.length > width ? `${line.slice(0, width - 1)}…` : line)

/** `1.4 MB`, in powers of 1000. */
export const sizeText = (bytes: number): string => {
  const units = ["B", "kB", "MB", "GB", "TB"]
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  return `${Number((bytes / 1000 ** step).toFixed(1))} ${units[step]}`
}
