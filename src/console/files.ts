/** Files of the service by the URLs that it signs. They name the host by which it is known: this page stays with its own. */

/** A URL is good for ten minutes: what is left open asks for others before. */
export const urlMillis = 8 * 60_000

export const ownUrl = (signed: string): string => {
  const { pathname, search } = new URL(signed)
  return `${pathname}${search}`
}

/** Shown where a link would save it. */
export const inlineUrl = (signed: string): string => `${ownUrl(signed)}&disposition=inline`
