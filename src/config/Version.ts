/** Written in by the build; from sources it is the moment of the start. */
declare const __VERSION__: string | undefined
declare const __BUILD_DATE__: string | undefined

export const version = typeof __VERSION__ === "string" ? __VERSION__ : "0.0.0-source"
export const buildDate = typeof __BUILD_DATE__ === "string" ? __BUILD_DATE__ : new Date().toISOString()
