/** Numbers and times as people read them. */

const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const

export const bytes = (count: number): string => {
  let amount = count
  let unit = 0
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024
    unit++
  }
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`
}

/** `0:07`, `1:02:03`: how long something has lasted, from seconds. */
export const clockTime = (seconds: number): string => {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (value: number) => String(value).padStart(2, "0")
  const minutes = Math.floor(whole / 60)
  return minutes < 60
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`
}

/** `4 s`, `3 min`, `2 h`, `5 d`: roughly how long, from milliseconds. */
export const span = (milliseconds: number): string => {
  const seconds = Math.max(0, milliseconds) / 1000
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 60) return `${Math.floor(seconds)} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** `85 ms`, `1.4 s`: how far behind something is, from milliseconds. */
export const behind = (milliseconds: number): string =>
  milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`

/** Made with the first time that is shown: the first one of a page takes a browser 20 ms, and a wall shows none. */
const formatOf = (options: Intl.DateTimeFormatOptions) => {
  let made: Intl.DateTimeFormat | undefined
  return (time: Date): string => (made ??= new Intl.DateTimeFormat(undefined, options)).format(time)
}
const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const
const sameDay = formatOf(clock)
const otherDay = formatOf({ year: "numeric", month: "short", day: "numeric", ...clock })

/** A time of the service (ISO 8601, UTC) where the reader is; today's without the day. */
export const when = (iso: string, now: number): string => {
  const time = new Date(iso)
  return (time.toDateString() === new Date(now).toDateString() ? sameDay : otherDay)(time)
}

export const bitrate = (bitsPerSecond: number): string =>
  bitsPerSecond >= 1_000_000
    ? `${(bitsPerSecond / 1_000_000).toFixed(1)} Mbit/s`
    : `${Math.round(bitsPerSecond / 1000)} kbit/s`

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`
