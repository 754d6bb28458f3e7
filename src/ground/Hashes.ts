import { createHash } from "node:crypto"

/** Of a text in UTF-8, in hex. At once, as `Hmac.ts` says why; and WebCrypto has no MD5, which cameras ask for. */
export const hashHex = (algorithm: "md5" | "sha256" | "sha512-256", text: string): string =>
  createHash(algorithm).update(text).digest("hex")

/** SHA-1 of bytes, in Base64, as WS-Security has it. */
export const sha1Base64 = (bytes: Uint8Array): string => createHash("sha1").update(bytes).digest("base64")
