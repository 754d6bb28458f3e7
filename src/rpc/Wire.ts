/** How values of the services are written on the wire. */

/** ISO 8601 in UTC, from epoch milliseconds. */
export const isoTime = (epochMillis: number): string => new Date(epochMillis).toISOString()

/** Milliseconds to seconds with three decimals. */
export const toSeconds = (millis: number): number => Math.round(millis) / 1000
