/** What FFmpeg and ffprobe are run for, as their arguments tell. */

export type Work = "publish" | "direct" | "convert" | "remux" | "trial" | "probe" | "export" | "other"

/** Milliseconds from one thing that it does to the next. */
export const tick = 100

export const workOf = (program: string, args: ReadonlyArray<string>): Work => {
  if (program === "ffprobe") return "probe"
  if (program !== "ffmpeg") return "other"
  if (args.includes("rtsp")) return "publish"
  if (args.includes("concat")) return "export"
  if (args.includes("pipe:0")) return "convert"
  if (args.at(-2) === "h264") return "trial"
  if (args.includes("image2pipe")) return "direct"
  return args.some((arg) => arg.startsWith("file:")) ? "remux" : "other"
}

export const fileIn = (args: ReadonlyArray<string>, which: number) =>
  (args.filter((arg) => arg.startsWith("file:")).at(which) ?? "").slice("file:".length)

export const progress = (count: number) =>
  `frame=${Math.round((count * tick) / 40)}\nfps=25.0\nbitrate=600.0kbits/s\nout_time_us=${count * tick * 1000}\nprogress=continue\n`

/** The path that is published, or the camera that is read: its id, or its node. */
export const cameraOf = (args: ReadonlyArray<string>): string => {
  const url = args.findLast((arg) => arg.startsWith("rtsp:"))
  if (url !== undefined) return new URL(url).pathname.slice(1)
  const input = args[args.indexOf("-i") + 1] ?? ""
  return /text='(camera\d+) /.exec(input)?.[1] ?? input
}

/** The V4L2 node that is read. */
export const nodeOf = (args: ReadonlyArray<string>): string | undefined =>
  args.includes("v4l2") ? args[args.indexOf("-i") + 1] : undefined
