import * as Context from "effect/Context"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Settings } from "../config/Settings.ts"
import { sameSecret } from "../ground/SameSecret.ts"

/**
 * What we and MediaMTX know each other by. Its API opens to us alone: who may change its paths may have it run any command as
 * our user; MediaMTX, which asks us who may do what, is told by us that the key is right. And its questions are answered to
 * itself alone: others would try tokens and keys at them, and say whatever of anybody. Both secrets live in memory; the
 * second also in MediaMTX's configuration, which it reads once, from a file of ours that nobody else may read.
 */
export class MediaMtxKey extends Context.Service<
  MediaMtxKey,
  {
    /** for a MediaMTX that starts: what another program on its port may have been shown meanwhile opens nothing more */
    readonly renew: Effect.Effect<void>
    /** the header that shows the key (RFC 7617) */
    readonly authorization: () => string
    /** whether they are the key, for who asks to use its API */
    readonly opens: (user: string, password: string) => boolean
    /** `user:password` for the address at which MediaMTX asks us: it makes a header of it, and shows it in no log */
    readonly asker: () => string
    /** whether who asks with this header is MediaMTX; anybody, where it is the operator's and no secret is set */
    readonly asks: (authorization: string) => boolean
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
      const { auth_secret, managed } = (yield* Settings).boot.mediamtx
      const answers = yield* Deferred.make<void>()
      const fresh = Effect.map(random.randomBytes(24), Base64Url.encode)
      let key = yield* fresh
      let secret = managed ? yield* fresh : Redacted.value(auth_secret)
      const asker = () => `${askingUser}:${secret}`
      return MediaMtxKey.of({
        renew: Effect.gen(function* () {
          key = yield* fresh
          secret = yield* fresh
        }),
        authorization: () => basic(`${user}:${key}`),
        opens: (given, password) => given === user && sameSecret(password, key),
        asker,
        asks: (authorization) => secret === "" || sameSecret(authorization, basic(asker())),
        answering: Effect.asVoid(Deferred.succeed(answers, undefined)),
        awaitAnswers: Deferred.await(answers)
      })
    })
  )
}

const user = "camera-service-api"
const askingUser = "mediamtx"
const basic = (userAndPassword: string): string => `Basic ${btoa(userAndPassword)}`
