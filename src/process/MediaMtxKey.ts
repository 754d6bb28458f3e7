import * as Context from "effect/Context"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import { sameSecret } from "../ground/SameSecret.ts"

/**
 * What opens MediaMTX's API, to us alone: who may change its paths may have it run any command as our user. It lives in
 * memory, and MediaMTX, which asks us who may do what, is told by us that it is right.
 */
export class MediaMtxKey extends Context.Service<
  MediaMtxKey,
  {
    /** for a MediaMTX that starts: what another program on its port may have been shown meanwhile opens nothing more */
    readonly renew: Effect.Effect<void>
    /** the header that shows it (RFC 7617) */
    readonly authorization: () => string
    readonly opens: (user: string, password: string) => boolean
    /** MediaMTX's questions are answered from now on */
    readonly answering: Effect.Effect<void>
    /** waits for that: a call before is refused, and up to 4 s late (MediaMTX, `internal/auth/log_and_delay_error.go`) */
    readonly awaitAnswers: Effect.Effect<void>
  }
>()("camera-service/process/MediaMtxKey") {
  static readonly layer = Layer.effect(
    MediaMtxKey,
    Effect.gen(function* () {
      const random = yield* SecureRandom
      const answers = yield* Deferred.make<void>()
      const fresh = Effect.map(random.randomBytes(24), Base64Url.encode)
      let key = yield* fresh
      return MediaMtxKey.of({
        renew: Effect.map(fresh, (next) => {
          key = next
        }),
        authorization: () => `Basic ${btoa(`${user}:${key}`)}`,
        opens: (given, password) => given === user && sameSecret(password, key),
        answering: Effect.asVoid(Deferred.succeed(answers, undefined)),
        awaitAnswers: Deferred.await(answers)
      })
    })
  )
}

const user = "camera-service-api"
