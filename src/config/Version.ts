/** Written in by the build; sources have neither. */
declare const __VERSION__: string | undefined
declare const __BUILD_DATE__: string | undefined

export const version = typeof __VERSION__ === "string" ? __VERSION__ : "0.0.0-source"
export const buildDate = typeof __BUILD_DATE__ === "string" ? __BUILD_DATE__ : "1970-01-01T00:00:00.000Z"
