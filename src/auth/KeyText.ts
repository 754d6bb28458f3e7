import { hashHex } from "../ground/Hashes.ts"

/** How a key is written: `csk_`, so that whoever finds one knows what it is, its id, and 32 random bytes (base64url). */
const form = /^csk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/

export const writeKey = (id: string, secret: string): string => `csk_${id}_${secret}`

/** The id, which is no secret, and the secret; undefined for what is no key. */
export const readKey = (text: string): { readonly id: string; readonly secret: string } | undefined => {
  const [, id, secret] = form.exec(text) ?? []
  return id === undefined || secret === undefined ? undefined : { id, secret }
}

/** What is kept of a secret. */
export const hashOf = (secret: string): string => hashHex("sha256", secret)

/** Whether this is meant to be a key, and no token. */
export const isKey = (text: string): boolean => text.startsWith("csk_")
