/** How the wall is laid out, and in which order: plain functions. */

export const layouts = ["flow", "fit", "1", "2", "3", "4"] as const
export type Layout = (typeof layouts)[number]

/** As many columns as make the pictures largest when all of them are to be seen at once. */
export const columnsToFit = (count: number, width: number, height: number, ratio = 16 / 9, barHeight = 0): number => {
  let best = 1
  let largest = 0
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns)
    const pictureHeight = Math.min(width / columns / ratio, height / rows - barHeight)
    if (pictureHeight >= largest) {
      largest = pictureHeight
      best = columns
    }
  }
  return best
}

/** By the order that is remembered; cameras that it does not know come behind, as they came. */
export const inOrder = <A extends { readonly device: string }>(
  cameras: ReadonlyArray<A>,
  order: ReadonlyArray<string>
): ReadonlyArray<A> => {
  const place = ({ device }: A): number => (order.includes(device) ? order.indexOf(device) : order.length)
  return [...cameras].sort((one, other) => place(one) - place(other))
}

/** The names in their new order, when `moved` takes the place of `target`. */
export const movedTo = (names: ReadonlyArray<string>, moved: string, target: string): ReadonlyArray<string> => {
  const to = names.indexOf(target)
  if (to < 0 || !names.includes(moved)) return names
  const others = names.filter((name) => name !== moved)
  return [...others.slice(0, to), moved, ...others.slice(to)]
}
