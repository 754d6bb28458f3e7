/**
 * A synthetic camera's picture, as an FFmpeg filter graph: a moving pattern, the camera's name and the time of day
 * with milliseconds for people, and the same milliseconds as a row of squares for programs.
 */

/** The row at the bottom left: square i, from the left, is white where bit i of the frame's epoch milliseconds is 1. */
export const clockBits = 24
/** Edge of a square, in pixels. */
export const clockSquare = 16

const squares = Array.from(
  { length: clockBits },
  (_, bit) =>
    `drawbox=x=${bit * clockSquare}:y=ih-${clockSquare}:w=${clockSquare}:h=${clockSquare}:color=white:t=fill` +
    `:enable='mod(floor(t*1000/pow(2\\,${bit}))\\,2)'`
)

/** Debian's, as its package `fonts-dejavu-core` has it. */
export const fontFile = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"

/** How the text's font is named: by `fontFile` where it is, else by its kind, for which FFmpeg reads all that says which fonts there are (4 ms). */
export type Font = "fontfile" | "font"

const fonts: Record<Font, string> = { fontfile: `fontfile=${fontFile}`, font: "font=monospace" }

export const testPattern = (name: string, font: Font, width: number, height: number, rate: number): string =>
  [
    `testsrc2=size=${width}x${height}:rate=${rate}`,
    // paced here and not by -re, so that the wall clock below is the time at which the frame leaves
    "realtime",
    // in microseconds: else to a frame's time
    "settb=AVTB",
    "setpts=RTCTIME",
    `drawtext=${fonts[font]}:text='${name} %{pts\\:gmtime\\:0\\:%Y-%m-%d %H\\\\\\:%M\\\\\\:%S}.%{eif\\:mod(floor(t*1000)\\,1000)\\:d\\:3}'` +
      ":fontsize=24:fontcolor=white:box=1:boxcolor=black:x=8:y=8",
    `drawbox=x=0:y=ih-${clockSquare}:w=${clockBits * clockSquare}:h=${clockSquare}:color=black:t=fill`,
    ...squares,
    // at even times, from when the first was made, to the microsecond
    `setpts=STARTPTS+N/(${rate}*TB)`
  ].join(",")
