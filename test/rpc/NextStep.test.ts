import { assert, describe, it } from "@effect/vitest"
import {
  AuthFailed,
  DependencyFailed,
  InvalidParams,
  InvalidState,
  NotFound,
  PermissionDenied,
  RateLimited,
  ServiceError,
  Unsupported
} from "../../schema/Errors.ts"
import { codeFor, typedFailure } from "../../src/rpc/Reply.ts"

/** What a client reads of an error. */
const said = (error: ServiceError) => {
  const code = codeFor(error) ?? assert.fail(`${error._tag} has no code`)
  const { data } = (JSON.parse(typedFailure("1", code, error)) as { error: { data: Record<string, unknown> } }).error
  return data
}

/** Words, and one of them tells what to do or where to look. */
const saysWhatToDo = (text: unknown): void => {
  assert.isString(text)
  assert.match(String(text), /^(?=[a-z]).*\b(ask|call|send|get|try|look|see|plug|wait|tells?|switch|such as|starts)\b/)
  assert.isBelow(String(text).length, 160)
}

const allStates: ReadonlyArray<readonly [state: string, allowed: ReadonlyArray<string>]> = [
  ["RECORDING", ["STOPPED"]],
  ["STOPPED", ["RECORDING"]],
  ["INACTIVE", ["ACTIVE", "STARTING", "ERROR"]],
  ["DISCONNECTED", ["CONNECTED"]],
  ["REMUXING", ["FREE"]],
  ["of no kind that is known", ["of another", "of a third"]]
]

const { dependency } = DependencyFailed.fields
const { resource } = NotFound.fields

const bare: { readonly [Tag in ServiceError["_tag"]]: ReadonlyArray<Extract<ServiceError, { readonly _tag: Tag }>> } = {
  InvalidParams: [new InvalidParams({ param: "device", rule: "a camera", hint: "such as camera0" })],
  AuthFailed: [new AuthFailed({ reason: "the token is not valid" })],
  PermissionDenied: [new PermissionDenied({ required_role: "admin", have_role: "viewer" })],
  NotFound: resource.literals.map((kind) => new NotFound({ resource: kind, id: "x" })),
  InvalidState: allStates.map(([state, allowed_states]) => new InvalidState({ state, allowed_states })),
  Unsupported: [new Unsupported({ feature: "external_streams" })],
  RateLimited: [new RateLimited({ retry_after_ms: 5 })],
  DependencyFailed: dependency.literals.map((name) => new DependencyFailed({ dependency: name, detail: "it failed" }))
}

describe("an error", () => {
  for (const { fields } of ServiceError.members) {
    const tag = fields._tag.schema.literal
    it(`that says nothing of what to do (${tag}) leaves with a sentence that does`, () => {
      assert.isNotEmpty(bare[tag])
      for (const error of bare[tag]) saysWhatToDo(said(error)[tag === "InvalidParams" ? "hint" : "suggestion"])
    })
  }

  it("that is more exact keeps its own words", () => {
    const suggestion = "overwrite: true"
    assert.strictEqual(
      said(new InvalidState({ state: "A", allowed_states: ["B"], suggestion }))["suggestion"],
      suggestion
    )
  })

  it("tells each resource, each dependency and each state apart", () => {
    for (const errors of [bare.NotFound, bare.DependencyFailed, bare.InvalidState]) {
      assert.strictEqual(new Set(errors.map((error) => said(error)["suggestion"])).size, errors.length)
    }
  })

  it("of a login says the same whatever is wrong with it", () => {
    const reasons = ["the key is not valid", "the token has expired", "the key was revoked"]
    assert.strictEqual(new Set(reasons.map((reason) => said(new AuthFailed({ reason }))["suggestion"])).size, 1)
  })
})
