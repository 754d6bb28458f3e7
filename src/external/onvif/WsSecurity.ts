import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import { sha1Base64 } from "../../ground/Hashes.ts"
import { isoTime } from "../../ground/Time.ts"
import type { RtspCredentials } from "../../rtsp/Target.ts"
import type { UsernameToken } from "./Soap.ts"

/** Makes user's name tokens for a clock that shows these epoch milliseconds. The password itself is in none of them. */
export const usernameTokens = Effect.map(SecureRandom, ({ randomBytes }) =>
  Effect.fnUntraced(function* ({ password, user }: RtspCredentials, clock: number) {
    const nonce = yield* randomBytes(16)
    const created = isoTime(Math.floor(clock / 1000) * 1000).replace(".000Z", "Z")
    const words = new TextEncoder().encode(created + Redacted.value(password))
    const token: UsernameToken = {
      user,
      digest: sha1Base64(new Uint8Array([...nonce, ...words])),
      nonce: Base64.encode(nonce),
      created
    }
    return token
  })
)
