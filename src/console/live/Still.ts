import { signal } from "@preact/signals"

/** The last frame of each camera, for when its video stops: what was seen last is shown with its age, not a black box. */
export interface Still {
  readonly canvas: HTMLCanvasElement
  /** when the camera saw it, as far as that is known: epoch milliseconds of this machine */
  readonly at: number
}

export const stills = signal<ReadonlyMap<string, Still>>(new Map())

/** So wide is what is kept: 16 of them take 15 MB. */
const widest = 640

export const keepStill = (device: string, video: HTMLVideoElement, at: number): void => {
  if (video.videoWidth === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return
  const canvas = stills.peek().get(device)?.canvas ?? document.createElement("canvas")
  canvas.width = Math.min(widest, video.videoWidth)
  canvas.height = Math.round((canvas.width * video.videoHeight) / video.videoWidth)
  canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height)
  stills.value = new Map(stills.peek()).set(device, { canvas, at })
}
