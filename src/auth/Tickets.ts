import * as Context from "effect/Context"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Hex from "effect/encoding/Hex"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { sameSecret } from "../ground/SameSecret.ts"

/** What we may do at a path of MediaMTX: publish to it, once, or read it, where an RTSP client is asked more than once. */
export type Purpose = "publish" | "read"

/** A password for MediaMTX, for as long as what it is for goes on. */
export interface Ticket {
  readonly password: string
  /**
   * FFmpeg's password stands in its arguments, which everybody on this machine reads: it is worth nothing until the process
   * is named that may show it. One that stays in our memory is for "anybody" who knows it.
   */
  readonly giveTo: (holder: number | "anybody") => void
  /** completes when MediaMTX presented it: whoever holds it has reached MediaMTX */
  readonly redeemed: Effect.Effect<void>
}

/** A ticket as it is shown. */
export interface Shown {
  /** the process that alone may show it; "nobody" yet, or "anybody" who knows it */
  readonly holder: () => number | "nobody" | "anybody"
  /** false: it was for one use, and has had it */
  readonly redeem: () => boolean
  readonly wasRedeemed: () => boolean
}

/** The passwords that let ourselves and our own FFmpeg, and nobody else, publish and read. */
export class Tickets extends Context.Service<
  Tickets,
  {
    /** a ticket for this path; it is void when the scope closes */
    readonly issue: (path: string, purpose: Purpose) => Effect.Effect<Ticket, never, Scope.Scope>
    /** the valid ticket with this password, from memory, at once */
    readonly find: (path: string, purpose: string, password: string) => Shown | undefined
  }
>()("camera-service/auth/Tickets") {
  static readonly layer = Layer.effect(
    Tickets,
    Effect.gen(function* () {
      const random = yield* SecureRandom
      const open = new Map<string, Shown & { readonly secret: string }>()

      const make = Effect.fnUntraced(function* (path: string, purpose: Purpose) {
        // several may be open for one path: a publisher that ends, and the one that takes its place
        const id = Hex.encode(yield* random.randomBytes(6))
        const secret = Base64Url.encode(yield* random.randomBytes(24))
        const redeemed = Deferred.makeUnsafe<void>()
        const key = `${purpose}/${path}/${id}`
        let holder: ReturnType<Shown["holder"]> = "nobody"
        let wasRedeemed = false
        const redeem = (): boolean => {
          if (purpose === "publish" ? !open.delete(key) : !open.has(key)) return false
          wasRedeemed = true
          Deferred.doneUnsafe(redeemed, Effect.void)
          return true
        }
        open.set(key, { secret, holder: () => holder, redeem, wasRedeemed: () => wasRedeemed })
        const ticket: Ticket = {
          password: `${id}.${secret}`,
          giveTo: (to) => {
            holder = to
          },
          redeemed: Deferred.await(redeemed)
        }
        return { key, ticket }
      })

      const issue = (path: string, purpose: Purpose) =>
        Effect.acquireRelease(make(path, purpose), ({ key }) => Effect.sync(() => open.delete(key))).pipe(
          Effect.map(({ ticket }) => ticket)
        )

      const find = (path: string, purpose: string, password: string): Shown | undefined => {
        const dot = password.indexOf(".")
        const shown = open.get(`${purpose}/${path}/${password.slice(0, Math.max(0, dot))}`)
        return shown !== undefined && sameSecret(password.slice(dot + 1), shown.secret) ? shown : undefined
      }

      return Tickets.of({ issue, find })
    })
  )
}
