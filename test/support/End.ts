import assert from "node:assert/strict"
import * as Effect from "effect/Effect"
import { eventually } from "./Eventually.ts"
import type { Run, Service } from "./Service.ts"

/** When it wrote this line of its log, in epoch milliseconds. */
const writtenAt = (line = "{}"): number =>
  Date.parse((JSON.parse(line) as { readonly timestamp?: string }).timestamp ?? "")

/** How it ended: by its own log, its last word comes within the 10 s that the contract gives it from a signal on. */
export const endOf = Effect.fnUntraced(function* (service: Run) {
  const hangs = Effect.die(new Error("it does not end"))
  const ended = yield* Effect.timeoutOrElse(service.ended, { duration: "30 seconds", orElse: () => hangs })
  const log = service.stderr().trim().split("\n")
  const asked = log.find((line) => line.includes(": ending; once more"))
  assert.ok(writtenAt(log.at(-1)) - writtenAt(asked) < 10_000)
  return ended
})

/** The kernel ends the children, a moment after the service. */
export const nothingLeft = ({ ground }: Pick<Service, "ground">) =>
  eventually(
    "no child is left",
    Effect.sync(() => ground.processes().length === 0)
  )
