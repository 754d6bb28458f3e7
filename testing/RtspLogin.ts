import { hashHex } from "../src/ground/Hashes.ts"
import { challengesIn } from "../src/rtsp/Digest.ts"
import type { Login } from "./RtspFaults.ts"

/** Whether this header shows the password, by RFC 7616 put down once more. */
export const isLogin = ({ password, user, way }: Login, shown: string, method: string, nonce: string): boolean => {
  if (way === "Basic") return shown === `Basic ${btoa(`${user}:${password}`)}`
  const [{ parameters } = { parameters: new Map<string, string>() }] = challengesIn([shown])
  const of = (name: string) => parameters.get(name) ?? ""
  const hash = (...parts: ReadonlyArray<string>) => hashHex(way === "SHA-256" ? "sha256" : "md5", parts.join(":"))
  const secret = hash(user, "camera", password)
  const a1 = way === "MD5-sess" ? hash(secret, nonce, of("cnonce")) : secret
  const use = of("qop") === "" ? [nonce] : [nonce, of("nc"), of("cnonce"), of("qop")]
  return of("nonce") === nonce && of("response") === hash(a1, ...use, hash(method, of("uri")))
}
