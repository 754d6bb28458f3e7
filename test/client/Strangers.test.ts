import { afterAll, describe, expect, it } from "@effect/vitest"
import { Client, RequestManager, WebSocketTransport } from "@open-rpc/client-js"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NotFound } from "../../schema/Errors.ts"
import { layerOnSockets, port, tokenFor } from "../rpc/Harness.ts"

const root = join(import.meta.dirname, "../..")
const list = { cameras: [], total: 0, connected: 0 }
const asked: Array<unknown> = []
const service = layerOnSockets({
  get_camera_list: () => Effect.succeed(list),
  get_stream_url: ({ device }) => Effect.fail(new NotFound({ resource: "camera", id: device })),
  list_snapshots: (page) => {
    asked.push(page)
    return Effect.succeed({ files: [], total: 0, limit: page.limit ?? 50, offset: page.offset ?? 0 })
  }
})

describe("@open-rpc/client-js", () => {
  it.live("calls methods with params by name, by position, empty, and without any", () =>
    Effect.gen(function* () {
      const transport = yield* Effect.acquireRelease(
        Effect.map(port, (at) => new WebSocketTransport(`ws://127.0.0.1:${at}/ws`)),
        (made) => Effect.sync(() => made.close())
      )
      const client = new Client(new RequestManager([transport]))
      const call = (method: string, params?: object | ReadonlyArray<unknown>) =>
        Effect.promise(
          () =>
            client.request(params === undefined ? { method } : { method, params: params as object }) as Promise<unknown>
        )
      yield* call("authenticate", [yield* tokenFor("viewer")])
      for (const none of [undefined, [], {}]) expect(yield* call("get_camera_list", none)).toEqual(list)
      asked.length = 0
      yield* call("list_snapshots", { limit: 5, device: "camera0" })
      yield* call("list_snapshots", [5, null, "camera0"])
      expect(asked).toEqual([
        { limit: 5, device: "camera0" },
        { limit: 5, device: "camera0" }
      ])
      const failure = yield* Effect.flip(
        Effect.tryPromise({
          try: () => client.request({ method: "get_stream_url", params: { device: "camera7" } }),
          catch: (cause) => cause as { readonly code: number; readonly data: unknown }
        })
      )
      expect(failure).toMatchObject({ code: -32010, data: { resource: "camera", id: "camera7" } })
    }).pipe(Effect.provide(service))
  )
})

/** What a program of another language's generator needs to know of a client that @open-rpc/generator made. */
interface GeneratedClient {
  readonly authenticate: (token: string) => Promise<{ readonly role: string }>
  readonly get_camera_list: () => Promise<unknown>
  readonly get_stream_url: (device: string) => Promise<unknown>
  readonly list_snapshots: (limit?: number, offset?: number, device?: string) => Promise<unknown>
  readonly transport: { readonly close: () => void }
}
type ClientClass = new (options: object) => GeneratedClient

describe("@open-rpc/generator", () => {
  const folder = mkdtempSync(join(tmpdir(), "generated-client-"))
  afterAll(() => rmSync(folder, { recursive: true }))

  it.live("makes a TypeScript client of openrpc.json that compiles and works, with names that a person can read", () =>
    Effect.gen(function* () {
      const document = join(root, "schema/generated/openrpc.json")
      const run = (name: string, args: ReadonlyArray<string>) =>
        execFileSync(join(root, "node_modules/.bin", name), args, { cwd: folder, encoding: "utf8" })
      run("open-rpc-generator", [
        "generate",
        "-t",
        "client",
        "-l",
        "typescript",
        "-n",
        "cameras",
        "-d",
        document,
        "-o",
        "."
      ])
      const made = join(folder, "client/typescript")
      symlinkSync(join(root, "node_modules"), join(made, "node_modules"))
      // TypeScript 6 and later want to be told where the sources are; today's client-js comes as an ES module
      const options = ["--rootDir", join(made, "src"), "--module", "esnext", "--moduleResolution", "bundler"]
      run("tsc", ["--project", made, ...options])
      const types = readFileSync(join(made, "build/index.d.ts"), "utf8")
      expect(types).not.toMatch(/(Object|UnorderedSet|AnyOf)Of/)
      expect(types).toContain("export interface Camera {")

      const { default: Cameras } = yield* Effect.promise(
        () => import(join(made, "build/index.js")) as Promise<{ readonly default: ClientClass }>
      )
      const transport = { type: "websocket", host: "127.0.0.1", port: yield* port, path: "/ws" }
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new Cameras({ transport })),
        (open) => Effect.sync(() => open.transport.close())
      )
      const token = yield* tokenFor("viewer")
      expect(yield* Effect.promise(() => client.authenticate(token))).toMatchObject({ role: "viewer" })
      expect(yield* Effect.promise(() => client.get_camera_list())).toEqual(list)
      expect(yield* Effect.promise(() => client.list_snapshots(undefined, 7))).toMatchObject({ limit: 50, offset: 7 })
      yield* Effect.promise(() =>
        expect(client.get_stream_url("camera7")).rejects.toMatchObject({ code: -32010, data: { id: "camera7" } })
      )
    }).pipe(Effect.provide(service))
  )
})
