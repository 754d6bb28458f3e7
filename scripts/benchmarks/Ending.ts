const pending = new Set<() => void>()

/** Has `undo` run when the benchmark is broken off, by Ctrl-C or an error; the function it gives back takes that away. */
export const whenBrokenOff = (undo: () => void): (() => void) => {
  pending.add(undo)
  return () => void pending.delete(undo)
}

/** Undoes at once, and without waiting for anything, whatever is still there. */
export const breakOff = (): void => {
  for (const undo of pending) undo()
  pending.clear()
}
