import * as Effect from "effect/Effect"
import { type IncomingMessage, request as requestPlain } from "node:http"
import type * as https from "node:https"
import type { Duplex } from "node:stream"
import type { connect as connectSecure } from "node:tls"
import { otherCertificate, shownFingerprint } from "./Fingerprint.ts"
import { hearBody, NoReply, noReply } from "./Loopback.ts"

/** One HTTP request to exactly this address, on a connection of its own. */
export interface WebRequest {
  /** an IP literal: no name is looked up */
  readonly address: string
  readonly port: number
  /** over TLS */
  readonly isSecure: boolean
  /** SHA-256 of the only certificate that is accepted, in hex; absent: any. Who shows another one hears nothing */
  readonly fingerprint?: string
  readonly method: "GET" | "POST"
  /** path and query */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** a longer reply is none */
  readonly maxBytes: number
}

export interface WebReply {
  readonly status: number
  readonly contentType: string
  /** each `WWW-Authenticate` */
  readonly challenges: ReadonlyArray<string>
  readonly body: Uint8Array
  /** SHA-256 of the certificate that was shown, in hex, where it came over TLS */
  readonly fingerprint?: string
}

/** `Network.exchange` */
export const exchange = (asked: WebRequest): Effect.Effect<WebReply, NoReply> =>
  Effect.flatMap(asked.isSecure ? Effect.promise(loadSecure) : Effect.undefined, (secure) =>
    Effect.callback((resume) => {
      const { address, body, headers, method, port, target } = asked
      const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) }
      const dialled = secure === undefined ? undefined : dial(asked, secure.connect)
      const end = (outcome: Effect.Effect<WebReply, NoReply>): void => {
        dialled?.socket.destroy()
        resume(outcome)
      }
      try {
        const options = { host: address, port, method, path: target, headers: { ...headers, ...length } }
        const asking =
          secure === undefined || dialled === undefined
            ? // a connection of its own
              requestPlain({ ...options, agent: false })
            : secure.request({ ...options, createConnection: dialled.whenKnown })
        asking.on("response", (response) => hear(response, asked.maxBytes, dialled?.fingerprint(), end))
        asking.on("error", (cause) => end(Effect.fail(cause instanceof NoReply ? cause : noReply(cause))))
        asking.end(body)
        return Effect.sync(() => {
          asking.destroy()
          dialled?.socket.destroy()
        })
      } catch (cause) {
        // Node sends no header with characters beyond Latin-1, and a user's name may have some
        return end(Effect.fail(noReply(cause instanceof Error ? cause : new Error(String(cause)))))
      }
    })
  )

const loadSecure = async (): Promise<Pick<typeof https, "request"> & { readonly connect: typeof connectSecure }> => {
  const [{ request }, { connect }] = await Promise.all([import("node:https"), import("node:tls")])
  return { request, connect }
}

/** A connection that is the request's as soon as it is known whose it is: what is asked may be of use to others. */
const dial = ({ address, fingerprint: wanted, port }: WebRequest, connect: typeof connectSecure) => {
  // cameras sign their certificates themselves: they are known by their fingerprints
  const socket = connect({ host: address, port, rejectUnauthorized: false })
  let seen: string | undefined
  const whenKnown = (_options: object, made: (error: Error | null, socket: Duplex) => void): undefined => {
    socket.once("error", (cause) => made(cause, socket))
    socket.once("secureConnect", () => {
      // a connection that has been closed tells it no more
      seen = shownFingerprint(socket)
      if (wanted === undefined || seen === wanted) return made(null, socket)
      const detail = `its certificate is another one than before: SHA-256 ${seen}`
      return made(new NoReply({ detail, code: otherCertificate }), socket)
    })
  }
  return { socket, whenKnown, fingerprint: () => seen }
}

const hear = (
  response: IncomingMessage,
  maxBytes: number,
  fingerprint: string | undefined,
  end: (outcome: Effect.Effect<WebReply, NoReply>) => void
): void =>
  hearBody(response, maxBytes, (heard) =>
    end(
      Effect.map(heard, (body) => ({
        status: response.statusCode ?? 0,
        contentType: response.headers["content-type"] ?? "",
        challenges: response.headersDistinct["www-authenticate"] ?? [],
        body,
        ...(fingerprint === undefined ? {} : { fingerprint })
      }))
    )
  )
