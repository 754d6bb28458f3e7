/** What a frame lasts where nothing else is known: of 25 a second. */
const usualRate = 25

export const togglePlay = (video: HTMLVideoElement | null): void => {
  // one that is taken away meanwhile plays no more
  if (video?.paused === true) video.play().catch(() => undefined)
  else video?.pause()
}

/** `rate`: pictures a second; 0: not known */
export const stepFrames = (video: HTMLVideoElement | null, frames: number, rate: number): void => {
  if (video === null) return
  video.pause()
  video.currentTime += frames / (rate > 0 ? rate : usualRate)
}
