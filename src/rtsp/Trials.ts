import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/** Cameras lock accounts after three to five wrong passwords, whoever showed them. */
const most = 2
/** Milliseconds after a refusal until the same password is shown again; locks last up to half an hour. */
const pause = 300_000
/** Milliseconds after which nobody answers any more. */
const patience = 10_000

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
  #refusals = 0
  /** since when those are shown that have no answer yet */
  readonly #open = new Map<Trial, number>()
  #pausedUntil = 0
  #settled = Deferred.makeUnsafe<void>()

  /** `now`: monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Undefined: it may not be shown now. Who comes while others wait for their answers waits, too. */
  readonly begin: Effect.Effect<Trial | undefined> = Effect.suspend(() => {
    const now = this.#now()
    if (this.#refusals > 0 && now >= this.#pausedUntil) this.#refusals = 0
    for (const [trial, since] of this.#open) if (now - since > patience) this.#open.delete(trial)
    if (this.#refusals >= most) return Effect.undefined
    if (this.#refusals + this.#open.size < most) return Effect.succeed(this.#show())
    return Effect.andThen(Effect.timeoutOption(Deferred.await(this.#settled), "1 second"), this.begin)
  })

  /** One that had been taken is refused. */
  lost(): void {
    this.#refusals++
    this.#pausedUntil = this.#now() + pause
  }

  /** Milliseconds until it may be shown again, where it was refused too often. */
  pause(): number {
    return this.#refusals < most ? 0 : Math.max(0, this.#pausedUntil - this.#now())
  }

  #show(): Trial {
    const over = (then: () => void) => (): void => {
      if (!this.#open.delete(trial)) return
      then()
      Deferred.doneUnsafe(this.#settled, Effect.void)
      this.#settled = Deferred.makeUnsafe()
    }
    const trial: Trial = {
      // cameras begin to count anew, too
      taken: over(() => (this.#refusals = 0)),
      refused: over(() => this.lost()),
      void: over(() => undefined)
    }
    this.#open.set(trial, this.#now())
    return trial
  }
}

/** Why it is not shown, in words that follow the camera's name. */
export const tooManyTrials = (trials: Trials): string =>
  `it does not take the user and the password, which are shown again in ${Math.ceil(trials.pause() / 60_000)} min`
