/** Something that was asked of the service, in bytes of the disk's log: when, and when it was said to be done. */
export interface Done<A> {
  readonly begun: number
  /** undefined: not before the end */
  readonly done: number | undefined
  /** milliseconds from the one to the other */
  readonly took?: number
  readonly value: A
}

/** What was seen at a moment. */
export interface Sample {
  /** bytes of the disk's log by then */
  readonly at: number
  /** milliseconds, monotonic */
  readonly time: number
  /**
   * bytes of each recording, as whoever reads it meanwhile has it (of one that is remuxed, of what MediaMTX wrote), where they
   * are not those of the sample before; undefined: it is gone
   */
  readonly recordings: ReadonlyMap<string, number | undefined>
}

/** A recording that was stopped. `isOver`: the answer said nothing else. */
export interface Stop {
  readonly camera: string
  readonly files: ReadonlyArray<string>
  readonly isOver: boolean
}

/** What a service did while its disk wrote everything down, and what it left. */
export interface History {
  /** the service answers: it has its secrets */
  readonly started: number
  /** `max_age_days` */
  readonly policies: ReadonlyArray<Done<number>>
  readonly keys: ReadonlyArray<Done<string>>
  readonly revoked: ReadonlyArray<Done<string>>
  readonly snapshots: ReadonlyArray<Done<string>>
  /** by the camera; empty: the answer said that it may not go on */
  readonly starts: ReadonlyArray<Done<string>>
  readonly stops: ReadonlyArray<Done<Stop>>
  readonly samples: ReadonlyArray<Sample>
  /** every file of the data folder at the end, by its path in there */
  readonly files: ReadonlyMap<string, Buffer>
  /** what MediaMTX wrote of each recording that is remuxed, by its name: whatever became of it */
  readonly written: ReadonlyMap<string, Buffer>
  /** bytes of the log when it ended */
  readonly end: number
}

/** Once MediaMTX has closed it, this one is copied into the container that it is named after. */
export const isRemuxed = (name: string): boolean => name.endsWith(".mkv")

/** What lasts of a moment. */
export interface Moment {
  /** bytes of the log when the power went */
  readonly at: number
}

/** The values that something may have at a moment: the last that was said to be done, or one that was under way. */
export const possible = <A>(all: ReadonlyArray<Done<A>>, { at }: Moment): ReadonlyArray<A | undefined> => {
  const last = all.findLastIndex(({ done }) => done !== undefined && done <= at)
  const begun = all.filter((one, i) => i > last && one.begun <= at).map(({ value }) => value)
  return [all[last]?.value, ...begun]
}

/** Those that were said to be done. */
export const saidDone = <A>(all: ReadonlyArray<Done<A>>, { at }: Moment): ReadonlyArray<A> =>
  all.flatMap(({ done, value }) => (done !== undefined && done <= at ? [value] : []))

export const sampleAt = ({ samples }: History, { at }: Moment): Sample | undefined =>
  samples.findLast((sample) => sample.at <= at)

/** Bytes of each recording then. */
export const recordingsAt = ({ samples }: History, { at }: Moment): ReadonlyMap<string, number> => {
  const all = new Map<string, number>()
  for (const sample of samples) {
    if (sample.at > at) break
    for (const [name, bytes] of sample.recordings) {
      if (bytes === undefined) all.delete(name)
      else all.set(name, bytes)
    }
  }
  return all
}

/** When each recording was seen first, by its name: milliseconds, monotonic. */
export const firstSeen = ({ samples }: History): ReadonlyMap<string, number> => {
  const all = new Map<string, number>()
  for (const { recordings, time } of samples) {
    for (const name of recordings.keys()) if (!all.has(name)) all.set(name, time)
  }
  return all
}

/** The cameras of which a recording was said to have begun, and not asked to stop. */
export const recordedAt = ({ starts, stops }: History, { at }: Moment): ReadonlyArray<string> => {
  const last = new Map(
    starts.flatMap(({ done, value }) => (done !== undefined && done <= at ? [[value, done] as const] : []))
  )
  last.delete("")
  return [...last].flatMap(([camera, since]) => {
    const stop = stops.find(({ begun, value }) => value.camera === camera && begun >= since)
    return stop !== undefined && stop.begun <= at ? [] : [camera]
  })
}

/** The cameras of which a recording was said to be over, and none asked for since. */
export const stoppedAt = ({ starts, stops }: History, { at }: Moment): ReadonlyArray<string> =>
  stops.flatMap(({ done, value: { camera, isOver } }) => {
    if (!isOver || done === undefined || done > at) return []
    // an answer without a promise has no camera
    const isAskedFor = starts.some(({ begun, value }) => ["", camera].includes(value) && begun >= done && begun <= at)
    return isAskedFor ? [] : [camera]
  })

/** Seconds by which this machine was late at worst: nobody had a processor, or the disk answered nobody. */
export const lateSeconds = ({ samples }: History): number =>
  samples.reduce((most, { time }, i) => Math.max(most, time - (samples[i - 1]?.time ?? time)), 0) / 1000

/** Milliseconds that the disk took at worst to make something last: a setting or a key is answered when it is synced. */
export const slowestSync = ({ keys, policies, revoked }: History): number =>
  Math.max(0, ...[...keys, ...policies, ...revoked].map(({ took = 0 }) => took))
