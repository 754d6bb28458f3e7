/** What everybody calls what RTP has another name for. */
const usualNames: Readonly<Record<string, string>> = { "mpeg4-generic": "aac", "mp4a-latm": "aac", mp2t: "mpegts" }

/** Of a codec with this name of RTP's, in lower case. */
export const usualName = (encoding: string): string => usualNames[encoding] ?? encoding
