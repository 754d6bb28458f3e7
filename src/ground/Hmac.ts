import { createHmac } from "node:crypto"

/**
 * HMAC-SHA256 (RFC 2104) of a text, in base64url: 43 characters. At once: WebCrypto answers each call later, from another
 * thread, which a list of 1,000 signed URLs cannot wait for.
 */
export const hmacSha256 = (key: string, text: string): string =>
  createHmac("sha256", key).update(text).digest("base64url")
