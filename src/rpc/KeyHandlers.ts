import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type ApiKey as Wire, CurrentSession, defaultKeyDays, defaultViewingSeconds } from "../../schema/Auth.ts"
import { KeyRpcs } from "../../schema/CameraRpcs.ts"
import { InvalidParams, NotFound } from "../../schema/Errors.ts"
import { ApiKeys, type NewKey } from "../auth/ApiKeys.ts"
import { isWithin } from "../auth/CameraScope.ts"
import type { ApiKey } from "../auth/KeyFile.ts"
import { statusOf } from "../auth/KeyLife.ts"
import { Settings } from "../config/Settings.ts"
import { Devices } from "../device/Devices.ts"
import { isoTime } from "../ground/Time.ts"
import { visible } from "./Authorization.ts"
import { makeHostOfClient, streamUrls, withToken } from "./CameraView.ts"

const view = (key: ApiKey, now: number): typeof Wire.Type => ({
  key_id: key.id,
  kind: key.kind,
  role: key.role,
  ...(key.cameras === undefined ? {} : { cameras: key.cameras }),
  ...(key.description === undefined ? {} : { description: key.description }),
  created_at: isoTime(key.createdAt),
  created_by: key.createdBy,
  expires_at: isoTime(key.expiresAt),
  ...(key.lastUsed === undefined ? {} : { last_used: isoTime(key.lastUsed) }),
  status: statusOf(key, now)
})

/** Shows the key itself, this once. */
const viewNew = ({ key, secret }: NewKey) => ({ ...view(key, key.createdAt), api_key: Redacted.value(secret) })

export const layer = KeyRpcs.toLayer(
  Effect.gen(function* () {
    const keys = yield* ApiKeys
    const devices = yield* Devices
    const settings = yield* Settings
    const hostOf = yield* makeHostOfClient

    /** a key that sees more than who asks is not there for them: they could rotate it, and use it */
    const mayHandle = Effect.fnUntraced(function* (id: string) {
      const { cameras } = yield* CurrentSession
      const key = keys.get(id)
      if (key === undefined || !isWithin(key.cameras, cameras)) {
        return yield* new NotFound({ resource: "api_key", id })
      }
      return id
    })

    return KeyRpcs.of({
      create_api_key: Effect.fnUntraced(function* ({ cameras, description, expires_in_days, role }) {
        const session = yield* CurrentSession
        const wanted = cameras ?? session.cameras
        if (!isWithin(wanted, session.cameras)) {
          return yield* new InvalidParams({
            param: "cameras",
            rule: "only cameras that you may see yourself",
            hint: `you may see ${session.cameras?.join(", ")}`
          })
        }
        const lifetime = Duration.toMillis(Duration.days(expires_in_days ?? defaultKeyDays))
        const made = yield* keys.create({
          kind: "api",
          role,
          ...(wanted === undefined ? {} : { cameras: wanted }),
          ...(description === undefined ? {} : { description }),
          createdBy: session.userId,
          expiresAt: (yield* Clock.currentTimeMillis) + lifetime
        })
        return viewNew(made)
      }),

      list_api_keys: Effect.fnUntraced(function* () {
        const { cameras } = yield* CurrentSession
        const now = yield* Clock.currentTimeMillis
        const shown = keys.list().filter((key) => isWithin(key.cameras, cameras))
        return { keys: shown.map((key) => view(key, now)), total: shown.length }
      }),

      revoke_api_key: Effect.fnUntraced(function* ({ key_id }) {
        const key = yield* keys.revoke(yield* mayHandle(key_id))
        return view(key, yield* Clock.currentTimeMillis)
      }),

      rotate_api_key: Effect.fnUntraced(function* ({ key_id }) {
        const { userId } = yield* CurrentSession
        return viewNew(yield* keys.rotate(yield* mayHandle(key_id), userId))
      }),

      create_viewing_key: Effect.fnUntraced(function* ({ device, expires_in_seconds }, { client }) {
        const camera = yield* devices.get(yield* visible(device))
        const { id } = camera
        const { credential, expiresAt, userId } = yield* CurrentSession
        const lifetime = (expires_in_seconds ?? defaultViewingSeconds) * 1000
        const { key, secret } = yield* keys.create({
          kind: "viewing",
          role: "viewer",
          cameras: [id],
          createdBy: userId,
          ...(credential.kind === "token" ? { terms: credential.terms.id } : { parent: credential.id }),
          expiresAt: Math.min((yield* Clock.currentTimeMillis) + lifetime, expiresAt)
        })
        const token = Redacted.value(secret)
        const urls = streamUrls(camera, settings.boot, hostOf(client.id))
        return {
          key_id: key.id,
          viewing_key: token,
          device: id,
          expires_at: isoTime(key.expiresAt),
          streams: withToken(urls, token)
        }
      })
    })
  })
)
