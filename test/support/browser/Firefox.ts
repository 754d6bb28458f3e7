import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { WebSocket } from "ws"

/** Where Debian's package puts it; scripts/setup installs it for the tests. */
const executable = "/usr/bin/firefox-esr"
export const hasFirefox = existsSync(executable)

/** Quiet: no request of the browser's own leaves this machine; and a page may play. */
const preferences: Readonly<Record<string, unknown>> = {
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "media.autoplay.default": 0,
  "media.gmp-manager.updateEnabled": false,
  "media.peerconnection.ice.loopback": true,
  "media.peerconnection.ice.obfuscate_host_addresses": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "http://127.0.0.1:9",
  "toolkit.telemetry.enabled": false
}

interface Reply {
  readonly id?: number
  readonly result?: unknown
  readonly error?: string
  readonly message?: string
}

interface Evaluated {
  readonly type: "success" | "exception"
  readonly result?: { readonly value?: unknown }
  readonly exceptionDetails?: { readonly text: string }
}

/** A page of Debian's Firefox, driven over WebDriver BiDi, for as long as the scope lives. */
export const openFirefox = Effect.gen(function* () {
  const profile = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "camera-service-firefox-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  )
  const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`)
  writeFileSync(join(profile, "user.js"), lines.join("\n"))
  const browser = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const args = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
      return spawn(executable, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, HOME: profile } })
    }),
    (child) =>
      Effect.callback<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )
  const address = yield* Effect.callback<string>((resume) => {
    let said = ""
    browser.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text
      const found = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(said)?.[1]
      if (found !== undefined) resume(Effect.succeed(`${found}/session`))
    })
    browser.once("exit", () => resume(Effect.die(new Error(`Firefox ended: ${said.slice(-500)}`))))
  })
  const socket = yield* Effect.acquireRelease(
    Effect.callback<WebSocket>((resume) => {
      const opened = new WebSocket(address)
      opened.once("open", () => resume(Effect.succeed(opened)))
    }),
    (opened) => Effect.sync(() => opened.terminate())
  )
  const waiting = new Map<number, (reply: Reply) => void>()
  socket.on("message", (text: Buffer) => {
    const reply = JSON.parse(text.toString()) as Reply
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply)
  })
  let count = 0
  const send = <A>(method: string, params: object): Effect.Effect<A> =>
    Effect.callback<A>((resume) => {
      const id = ++count
      waiting.set(id, ({ error, message, result }) => {
        waiting.delete(id)
        resume(
          error === undefined ? Effect.succeed(result as A) : Effect.die(new Error(`${method}: ${error} ${message}`))
        )
      })
      socket.send(JSON.stringify({ id, method, params }))
    })
  yield* send("session.new", { capabilities: {} })
  const { contexts } = yield* send<{ readonly contexts: ReadonlyArray<{ readonly context: string }> }>(
    "browsingContext.getTree",
    {}
  )
  const context = contexts[0]?.context ?? ""
  return {
    goto: (url: string) => send<unknown>("browsingContext.navigate", { context, url, wait: "interactive" }),
    /** the text that an expression comes to, or its promise */
    text: (expression: string): Effect.Effect<string> =>
      Effect.flatMap(
        send<Evaluated>("script.evaluate", { expression, target: { context }, awaitPromise: true }),
        ({ exceptionDetails, result }) =>
          exceptionDetails === undefined
            ? Effect.succeed(String(result?.value))
            : Effect.die(new Error(exceptionDetails.text))
      )
  }
})
