import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Role, roleIncludes } from "../../schema/Auth.ts"
import type { Visitor } from "../../testing/Visitors.ts"
import type { Promises } from "./Promises.ts"
import type { Trace } from "./Trace.ts"

interface Reply {
  readonly id?: number | null
  readonly error?: { readonly code: number }
  readonly result?: Json
}

type Json = Readonly<Record<string, unknown>>

/** What a client's token allows. */
export interface Rights {
  readonly role: Role
  /** the only cameras it may see; absent: all */
  readonly cameras?: ReadonlyArray<string>
}
export const admin: Rights = { role: "admin" }

/** Asked, and not answered yet; when: milliseconds that had passed. */
interface Asked {
  readonly method: string
  readonly params: Json
  readonly since: number
}

/** In what everybody is told whose parameter is no camera's name. */
const example = "such as camera0"

/** The least role for what is not for everybody (the contract's table). */
const least: Readonly<Record<string, Role>> = {
  take_snapshot: "operator",
  start_recording: "operator",
  stop_recording: "operator",
  start_streaming: "operator",
  stop_streaming: "operator",
  delete_recording: "operator",
  delete_snapshot: "operator",
  add_external_stream: "operator",
  remove_external_stream: "operator",
  get_storage_info: "admin",
  get_status: "admin",
  set_retention_policy: "admin",
  cleanup_old_files: "admin",
  list_api_keys: "admin",
  create_api_key: "admin"
}

/** A client of the service that keeps count of what it asked and what it was answered. */
export interface Client {
  readonly name: string
  readonly rights: Rights
  readonly call: (method: string, params: Json) => void
  readonly open: ReadonlyMap<number, Asked>
  /** the last answer */
  readonly last: () => Reply
  /** answers to nothing that was asked, or to what was answered before */
  readonly surplus: ReadonlyArray<string>
  /** what it was told and may not know, or was given and may not have */
  readonly forbidden: ReadonlyArray<string>
  /** bytes that came at once when it read on after a pause: most that ever did */
  readonly mostUnread: () => number
  /** when it last asked for this, or was answered, or before all time: it never did (milliseconds that had passed) */
  readonly lastAt: (method: string, device: string) => number
  readonly isReading: () => boolean
  /** milliseconds that had passed; infinite: it reads no more */
  readonly readingSince: () => number
  readonly isConnected: () => boolean
  readonly stopReading: () => void
  readonly readOn: () => void
  readonly vanish: () => void
  readonly leave: () => void
}

export const makeClient = Effect.fnUntraced(function* (
  name: string,
  rights: Rights,
  visitor: Visitor,
  passed: () => number,
  trace: Trace,
  promises: Pick<Promises, "asked" | "answered">
): Effect.fn.Return<Client, never, Scope.Scope> {
  const { cameras, role } = rights
  const open = new Map<number, Asked>()
  const surplus: Array<string> = []
  const forbidden: Array<string> = []
  const burst = { at: Number.NaN, bytes: 0, most: 0 }
  let calls = 0
  const lastAt = new Map<string, number>()
  let last: Reply = {}
  /** infinite: it reads no more */
  let readingSince = passed()
  let isConnected = true

  const keyOf = (method: string, device: unknown) => `${method} ${String(device)}`
  const note = (method: string, { device }: Json) => void lastAt.set(keyOf(method, device), passed())

  /** Of cameras: those that it sees, and what it has asked for itself. */
  const mayKnow = (text: string, asked: Asked | undefined): boolean => {
    if (cameras === undefined) return true
    const own = JSON.stringify(asked?.params ?? {})
    return (text.replace(example, "").match(/camera\d+/g) ?? []).every(
      (camera) => cameras.includes(camera) || own.includes(camera)
    )
  }

  const hear = Effect.map(visitor.text, (text) => {
    const message = JSON.parse(text) as Reply
    trace.note(name, text)
    if (passed() === burst.at) burst.most = Math.max(burst.most, (burst.bytes += text.length))
    const asked = typeof message.id === "number" ? open.get(message.id) : undefined
    if (!mayKnow(text, asked)) forbidden.push(text)
    if (message.id === undefined) return
    last = message
    if (asked === undefined) return void surplus.push(text)
    open.delete(Number(message.id))
    note(asked.method, asked.params)
    const needed = least[asked.method] ?? "viewer"
    if (message.result !== undefined && !roleIncludes(role, needed)) forbidden.push(`${role}: ${text}`)
    promises.answered(asked.method, asked.params, message.result, JSON.stringify(message.error))
  })
  yield* Effect.forkScoped(Effect.forever(hear))
  const over = Effect.map(visitor.closed, ({ code, reason }) => {
    isConnected = false
    trace.note(name, `closed ${code} ${reason}`)
  })
  yield* Effect.forkScoped(over)

  return {
    name,
    rights,
    call: (method, params) => {
      const id = ++calls
      note(method, params)
      if (isConnected) open.set(id, { method, params, since: passed() })
      promises.asked(method, params)
      visitor.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }))
    },
    open,
    last: () => last,
    surplus,
    forbidden,
    mostUnread: () => burst.most,
    lastAt: (method, device) => lastAt.get(keyOf(method, device)) ?? Number.NEGATIVE_INFINITY,
    isReading: () => readingSince < Number.POSITIVE_INFINITY,
    readingSince: () => readingSince,
    isConnected: () => isConnected,
    stopReading: () => {
      readingSince = Number.POSITIVE_INFINITY
      visitor.stopReading()
    },
    readOn: () => {
      if (readingSince === Number.POSITIVE_INFINITY) readingSince = passed()
      Object.assign(burst, { at: passed(), bytes: 0 })
      visitor.readOn()
    },
    vanish: () => {
      isConnected = false
      visitor.vanish()
    },
    leave: () => {
      isConnected = false
      visitor.leave(1000)
    }
  }
})
