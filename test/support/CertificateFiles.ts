import * as Effect from "effect/Effect"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"
import { settingsWith } from "../storage/Workbench.ts"
import type { Pair } from "./Certificate.ts"

/** A certificate and its key on the disk in memory, where these settings say. */
export const secured = settingsWith({ tls: { certificate_file: "/etc/tls/cert.pem", key_file: "/etc/tls/key.pem" } })

/** One of the two is put in the place of what was there before. */
export const put = Effect.fnUntraced(function* (name: "cert" | "key", { [name]: text }: Pick<Pair, "cert" | "key">) {
  const { outside } = yield* MemoryDisk
  outside.write("/etc/tls/new", new TextEncoder().encode(text))
  outside.rename("/etc/tls/new", `/etc/tls/${name}.pem`)
})

export const putFirst = Effect.fnUntraced(function* (pair: Pair) {
  const { outside } = yield* MemoryDisk
  for (const folder of ["/etc", "/etc/tls"]) outside.makeFolder(folder)
  yield* put("cert", pair)
  yield* put("key", pair)
})
