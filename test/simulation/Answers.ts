import type { Client } from "./Client.ts"
import type { Invariant } from "./Looking.ts"
import type { World } from "./World.ts"

/**
 * No request takes longer, in milliseconds, whatever is wrong with the machine: a recording's start has 10 s, and the note of
 * it another 10 s; a picture has 10 s, and the disk 5 s for it.
 */
const answerTime = 25_000

/** One change of a camera's recording at a time: who asks waits for those who asked before. */
const inTurn = ["start_recording", "stop_recording"]
/** Answered when what they change is on the disk, however long that takes. */
const untilWritten = /_(api_key|external_stream)$/

const turnOf = ({ life }: World, device: unknown): number =>
  Math.max(...(life?.clients ?? []).flatMap(({ lastAt }) => inTurn.map((method) => lastAt(method, String(device)))))

/** Since when the oldest of its requests could be answered, and which that is. */
const longest = (world: World, { isConnected, open, readingSince }: Client) => {
  let oldest: { readonly method: string; readonly since: number } | undefined
  if (!isConnected()) return undefined
  for (const { method, params, since: asked } of open.values()) {
    const waits = inTurn.includes(method)
      ? turnOf(world, params["device"])
      : untilWritten.test(method)
        ? world.diskWorksSince()
        : asked
    const since = Math.max(asked, readingSince(), waits)
    if (since < (oldest?.since ?? Number.POSITIVE_INFINITY)) oldest = { method, since }
  }
  return oldest
}

/** Nobody is answered what was not asked, and who reads is answered in time. */
export const everyoneIsAnswered: Invariant = (world) => () => {
  for (const client of world.life?.clients ?? []) {
    const { name, surplus } = client
    if (surplus[0] !== undefined) return `${name} was answered what it had not asked: ${surplus[0]}`
    const { method, since } = longest(world, client) ?? {}
    const waited = world.passed() - (since ?? Number.POSITIVE_INFINITY)
    if (waited > answerTime)
      return `${name} was not answered: ${method}, which it waits for since ${Math.round(waited)} ms`
  }
  return undefined
}
