import { expect, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { CameraRpcs } from "../../schema/CameraRpcs.ts"
import { errorCodes } from "../../schema/JsonRpc.ts"

const root = join(import.meta.dirname, "..", "..")

interface OpenRpc {
  readonly methods: ReadonlyArray<{
    readonly name: string
    readonly "x-required-role": string
    readonly params: ReadonlyArray<{ readonly name: string; readonly required: boolean }>
    readonly errors: ReadonlyArray<{ readonly $ref: string }>
  }>
  readonly components: { readonly errors: Readonly<Record<string, { readonly code: number }>> }
}
const document = JSON.parse(readFileSync(join(root, "schema/generated/openrpc.json"), "utf8")) as OpenRpc

it("the generated files say what the contract says", () => {
  const { status, stderr } = spawnSync(join(root, "scripts/generate"), ["--check"], { encoding: "utf8" })
  expect(stderr).toBe("")
  expect(status).toBe(0)
})

it("openrpc.json knows every method, who may call it, and how it fails", () => {
  expect(document.methods.map(({ name }) => name)).toEqual([...CameraRpcs.requests.keys()])
  const snapshot = document.methods.find(({ name }) => name === "take_snapshot")
  expect(snapshot?.["x-required-role"]).toBe("operator")
  expect(snapshot?.params[0]).toMatchObject({ name: "device", required: true })
  expect(snapshot?.errors).toContainEqual({ $ref: "#/components/errors/PermissionDenied" })
  for (const [name, { code }] of Object.entries(errorCodes)) expect(document.components.errors[name]?.code).toBe(code)
})

it("every reference in openrpc.json leads somewhere", () => {
  const references = JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)
  for (const [, path] of references) {
    const target = path
      ?.split("/")
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document)
    expect(target, path).toBeDefined()
  }
})
