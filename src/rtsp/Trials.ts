/** Cameras lock accounts after three to five wrong passwords, whoever showed them. */
const most = 2
/** Milliseconds after a refusal until the same password is shown again; locks last up to half an hour. */
const pause = 300_000

/** A password that is being shown. The first word counts. */
export interface Trial {
  readonly taken: () => void
  readonly refused: () => void
  /** it was neither: the answer never came, or was about something else */
  readonly void: () => void
}

/** How often one user's password was shown at one camera and not taken, by all who talk to it. */
export class Trials {
  readonly #now: () => number
  /** shown, and refused or not answered yet */
  #open = 0
  #pausedUntil: number | undefined

  /** `now`: monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Undefined: it may not be shown now. */
  begin(): Trial | undefined {
    if (this.#pausedUntil !== undefined && this.pause() === 0) this.#begin()
    if (this.#open >= most) return undefined
    this.#open++
    let isOver = false
    const once = (end: () => void) => (): void => {
      if (!isOver) end()
      isOver = true
    }
    return {
      // cameras begin to count anew, too
      taken: once(() => this.#begin()),
      refused: once(() => {
        this.#open = Math.max(1, this.#open)
        this.#pausedUntil = this.#now() + pause
      }),
      void: once(() => {
        this.#open = Math.max(0, this.#open - 1)
      })
    }
  }

  /** Milliseconds until it may be shown again, where it was refused too often. */
  pause(): number {
    return Math.max(0, (this.#pausedUntil ?? 0) - this.#now())
  }

  #begin(): void {
    this.#open = 0
    this.#pausedUntil = undefined
  }
}

/** Why it is not shown, in words that follow the camera's name. */
export const tooManyTrials = (trials: Trials): string =>
  `it does not take the user and the password, which are shown again in ${Math.ceil(trials.pause() / 60_000)} min`
