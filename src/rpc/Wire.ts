/** Milliseconds as the wire has them: seconds with three decimals. */
export const toSeconds = (millis: number): number => Math.round(millis) / 1000
