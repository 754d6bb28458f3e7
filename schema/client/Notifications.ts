import type * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { type Notification, type NotificationMethod, notifications } from "../Event.ts"

/** Undefined for what this client does not know, or cannot read: a newer server may say more. */
export const readNotification = (method: string, params: unknown): Notification | undefined => {
  if (!Object.hasOwn(readers, method)) return undefined
  const exit = readers[method as NotificationMethod](params)
  return exit._tag === "Success" ? ({ method, params: exit.value } as Notification) : undefined
}

const readers = Object.fromEntries(
  Object.entries(notifications).map(([method, params]) => [
    method,
    Schema.decodeUnknownExit(Schema.toCodecJson(params as Schema.Codec<unknown>))
  ])
) as { readonly [Method in NotificationMethod]: (params: unknown) => Exit.Exit<unknown, Schema.SchemaError> }
