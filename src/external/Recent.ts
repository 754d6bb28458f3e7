/** What was learnt of cameras within the last two minutes, by a text; of the latest 512. */
export interface Recent<A> {
  readonly get: (text: string) => A | undefined
  readonly set: (text: string, value: A) => void
  readonly forget: (text: string) => void
}

/** Milliseconds; a camera that is idle is asked each minute. */
const recentFor = 120_000
/** More streams than can be added. */
const mostKnown = 512

/** `clock`: monotonic milliseconds. */
export const makeRecent = <A>(clock: () => number): Recent<A> => {
  /** the latest last */
  const known = new Map<string, { readonly value: A; readonly at: number }>()
  return {
    get: (text) => {
      const last = known.get(text)
      return last !== undefined && clock() - last.at < recentFor ? last.value : undefined
    },
    set: (text, value) => {
      known.delete(text)
      known.set(text, { value, at: clock() })
      for (const key of known.keys()) if (known.size > mostKnown) known.delete(key)
    },
    forget: (text) => void known.delete(text)
  }
}

/** The same of things that are gone when nobody has them any more, such as a stream's address: another password is another one. */
export const makeRecentOf = <K extends WeakKey, A>(clock: () => number) => {
  const known = new WeakMap<K, { readonly value: A; readonly at: number }>()
  return {
    get: (key: K): A | undefined => {
      const last = known.get(key)
      return last !== undefined && clock() - last.at < recentFor ? last.value : undefined
    },
    set: (key: K, value: A): void => void known.set(key, { value, at: clock() }),
    forget: (key: K): void => void known.delete(key)
  }
}
