import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { randomBytes, timingSafeEqual } from "node:crypto"
import type { CameraId } from "../../schema/Camera.ts"

/** What our own child may do at MediaMTX, once: publish to the camera's path, or read its description. */
export type Purpose = "publish" | "read"

/** A one-time password for MediaMTX: it stands in a child's argument list, and is worth nothing once it was used. */
export interface Ticket {
  readonly user: string
  readonly password: string
  /** completes when MediaMTX presented it: whoever holds it has reached MediaMTX */
  readonly redeemed: Effect.Effect<void>
}

/** The passwords that let our own FFmpeg, and nobody else, publish. */
export class PublishTickets extends Context.Service<
  PublishTickets,
  {
    /** a ticket for one use; it is void when the scope closes */
    readonly issue: (camera: CameraId, purpose: Purpose) => Effect.Effect<Ticket, never, Scope.Scope>
    /** true the first time a valid ticket is shown, from memory, at once */
    readonly redeem: (camera: string, purpose: string, password: string) => boolean
  }
>()("camera-service/auth/PublishTickets") {
  static readonly layer = Layer.sync(PublishTickets, () => {
    const open = new Map<string, { readonly secret: Buffer; readonly redeemed: Deferred.Deferred<void> }>()

    const issue = (camera: CameraId, purpose: Purpose) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          // several may be open for one path: a publisher that ends, and the one that takes its place
          const id = randomBytes(6).toString("hex")
          const secret = randomBytes(24).toString("base64url")
          const redeemed = Deferred.makeUnsafe<void>()
          const key = `${purpose}/${camera}/${id}`
          open.set(key, { secret: Buffer.from(secret), redeemed })
          return { key, id, secret, redeemed }
        }),
        ({ key }) => Effect.sync(() => open.delete(key))
      ).pipe(
        Effect.map(({ id, redeemed, secret }): Ticket => ({
          user: "camera-service",
          password: `${id}.${secret}`,
          redeemed: Deferred.await(redeemed)
        }))
      )

    const redeem = (camera: string, purpose: string, password: string) => {
      const dot = password.indexOf(".")
      const id = password.slice(0, Math.max(0, dot))
      const key = `${purpose}/${camera}/${id}`
      const ticket = open.get(key)
      const shown = Buffer.from(password.slice(dot + 1))
      if (ticket === undefined || shown.length !== ticket.secret.length || !timingSafeEqual(shown, ticket.secret)) {
        return false
      }
      open.delete(key)
      Deferred.doneUnsafe(ticket.redeemed, Effect.void)
      return true
    }

    return PublishTickets.of({ issue, redeem })
  })
}
