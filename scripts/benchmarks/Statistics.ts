/** The value that `share` (0 to 1) of the samples do not exceed (nearest rank). */
export const percentile = (samples: ReadonlyArray<number>, share: number): number => {
  const sorted = samples.toSorted((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
  if (value === undefined) throw new Error("there are no samples")
  return value
}

export const median = (samples: ReadonlyArray<number>): number => percentile(samples, 0.5)

export const slowest = (samples: ReadonlyArray<number>): number => percentile(samples, 1)

/** `p50 1.2, p95 3.4, slowest 5.6 of 20` */
export const summary = (samples: ReadonlyArray<number>): string =>
  `p50 ${round(median(samples))}, p95 ${round(percentile(samples, 0.95))}, slowest ${round(slowest(samples))} of ${samples.length}`

/** Three digits are what a measurement is worth. */
export const round = (value: number): string =>
  String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)))
