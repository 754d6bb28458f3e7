import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { join } from "node:path"
import { reachableHere } from "../config/Hosts.ts"
import { leastSecretLength } from "../config/Rules.ts"
import { Settings } from "../config/Settings.ts"
import { Disk } from "../ground/Disk.ts"
import { KernelFiles } from "../ground/KernelFiles.ts"
import { Loopback } from "../ground/Loopback.ts"
import { Machine } from "../ground/Machine.ts"
import { type Check, failure, ok, warning } from "./Check.ts"
import type { Folder } from "./Folder.ts"

/** A doctor that is asked for longer has nothing to say but that. */
const answerTime = Duration.seconds(3)

const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** Why MediaMTX does not run, and what to do about it: more than that it does not. */
const mediaMtxError = (part: unknown): ReadonlyArray<string> => {
  const { error, part: name } = Predicate.isObject(part) ? (part as Readonly<Record<string, unknown>>) : {}
  return name === "mediamtx" && typeof error === "string" ? [`MediaMTX: ${error}`] : []
}

/** What the service says of itself where it runs, and the secret that it signs tokens with. */
export const makeServiceChecks = Effect.fnUntraced(function* (folder: Folder) {
  const { auth, health } = (yield* Settings).boot
  const disk = yield* Disk
  const loopback = yield* Loopback
  const machine = yield* Machine
  const files = yield* KernelFiles

  const lookAtSecret = Effect.gen(function* () {
    if (Redacted.value(auth.jwt_secret) !== "") return ok("auth.jwt_secret is set")
    const path = join(folder.path, "secrets", "jwt_secret")
    if (!folder.isThere) return ok(`${path} is made at the first start`)
    return yield* Effect.match(disk.text(path), {
      onFailure: ({ code }) =>
        code === "ENOENT"
          ? ok(`${path} is made at the next start`)
          : failure(
              `${machine.user().name} may not read ${path} (${code}): tokens would be refused`,
              `run it as the service's user: sudo -u "$(stat -c %U ${folder.path})" camera-service …`
            ),
      onSuccess: (text) =>
        text.trim().length >= leastSecretLength
          ? ok(`${path} can be read`)
          : failure(`${path} is cut off`, `rm ${path}, and start the service again: all tokens end`)
    })
  })

  /** `State:	T (stopped)` (proc_pid_status(5)): by a signal; `t`: by a debugger. */
  const stateOf = (pid: number | undefined) =>
    /^State:\s+(\w)/m.exec(files.text(join(files.proc, String(pid), "status")) ?? "")?.[1]

  const askService = Effect.gen(function* () {
    const client = yield* loopback.json({ host: reachableHere(health.host), port: health.port })
    const { body } = yield* client({ method: "GET", path: "/health/detailed" })
    const said = Predicate.isObject(body) ? (body as Readonly<Record<string, unknown>>) : {}
    const reasons = [...listOf(said["reasons"]), ...listOf(said["parts"]).flatMap(mediaMtxError)].join("; ")
    const evidence = `process ${folder.service ?? "unknown"}, up for ${String(said["uptime"])} s, ${String(said["status"])}`
    if (said["status"] === "HEALTHY") return ok(evidence)
    const mend = `look into its log: journalctl -u camera-service, or curl http://${reachableHere(health.host)}:${health.port}/health/detailed`
    return said["status"] === "DEGRADED"
      ? warning(`${evidence}: ${reasons}`, mend)
      : failure(`${evidence}: ${reasons}`, mend)
  }).pipe(
    Effect.scoped,
    Effect.timeoutOrElse({
      duration: answerTime,
      orElse: () => Effect.fail({ detail: `no answer within ${Duration.toSeconds(answerTime)} s` })
    }),
    Effect.catch(({ detail }) =>
      Effect.succeed(
        folder.service === undefined
          ? ok("it does not run")
          : failure(
              `process ${folder.service} does not answer for its health: ${detail}`,
              "systemctl restart camera-service"
            )
      )
    )
  )

  const lookAtService = Effect.suspend(() => {
    const { service } = folder
    const state = stateOf(service)
    if (state === "T")
      return Effect.succeed(failure(`process ${service} is stopped (SIGSTOP)`, `kill -CONT ${service}`))
    if (state !== "t") return askService
    return Effect.succeed(failure(`process ${service} is held by a debugger`, "let it go on, or end the debugger"))
  })

  return [
    { name: "service", look: lookAtService },
    { name: "token_secret", look: lookAtSecret }
  ] satisfies ReadonlyArray<Check>
})
