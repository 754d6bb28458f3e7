const oldest = [1, 21, 0] as const

export const mediaMtxHint = "the service needs MediaMTX 1.21.0 or later: see ./scripts/setup, or set mediamtx.binary"

/** `v1.21.0`, also with something after it; a build without a version counts as old. */
const isCurrent = (version: string): boolean => {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? []
  for (const [i, least] of oldest.entries()) {
    const part = parts[i] ?? 0
    if (part !== least) return part > least
  }
  return true
}

/** Undefined: what says that this is its version is a MediaMTX that we know. */
export const flawOf = (version: string): string | undefined => {
  if (isCurrent(version)) return undefined
  return /^v?\d/.test(version) ? `is too old (${version.trim()})` : "is no MediaMTX with a version"
}
