import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"

/** What comes in through a listening socket, and what goes back: HTTP requests (RFC 9110) and WebSockets (RFC 6455). */

export interface Address {
  /** an IP address or a name */
  readonly host: string
  readonly port: number
}

/** Another program listens there. */
export class AddressTaken extends Schema.TaggedError<AddressTaken>()("AddressTaken", {}) {}

/** Nobody may listen there. `code` is the errno's name (`EACCES`, `EADDRNOTAVAIL`; man 2 bind). */
export class AddressUnusable extends Schema.TaggedError<AddressUnusable>()("AddressUnusable", {
  code: Schema.String
}) {}

/** The head of a request. */
export interface RequestHead {
  /** as sent: methods are case-sensitive */
  readonly method: string
  /** the path and the query, as sent */
  readonly target: string
  /** by lower-case name */
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  /** the IP address of the other side */
  readonly address: string
  /** it came by TLS */
  readonly isSecure: boolean
}

export interface HttpRequest extends RequestHead {
  /** the whole body as text, `maxBodyBytes` at most; can be read once */
  readonly body: Effect.Effect<string, BodyTooLarge>
}

/** A body that a service of ours has to look at is a short question. */
export const maxBodyBytes = 64 * 1024

export class BodyTooLarge extends Schema.TaggedError<BodyTooLarge>()("BodyTooLarge", {}) {}

export interface HttpReply {
  readonly status: number
  /** `content-length` is added where the body is at hand; `connection: close` ends the connection with the reply */
  readonly headers: Readonly<Record<string, string | number>>
  /**
   * Left out of the answer to HEAD. A stream is taken as fast as the client reads, and not at all once it has gone or has
   * taken nothing for `stalledAfter`; one that fails cuts the connection, so that no part passes for the whole.
   */
  readonly body: string | Uint8Array | Stream.Stream<Uint8Array, ReplyBroken>
  /** once this is over the connection is cut, however much of the reply is sent by then */
  readonly until?: Effect.Effect<unknown>
}

/** A reply that is at hand: what a WebSocket is answered with that is not opened. */
export interface Refusal extends HttpReply {
  readonly body: string
}

/** A client that takes no byte for so long is gone, or wants to hold what it is sent for ever. */
export const stalledAfter = "60 seconds"

/** What was to follow the head of a reply could not be had. */
export class ReplyBroken extends Schema.TaggedError<ReplyBroken>()("ReplyBroken", { cause: Schema.Defect() }) {}

/** What may be sent to us as one message. */
export interface MessageLimits {
  readonly bytes: number
  /** frames that it may come in */
  readonly fragments: number
}

/** What the ground does for one WebSocket client. A message that breaks its limits closes the connection (1009, 1008). */
export interface Peer {
  /** sends a text frame; nothing once the connection closes */
  send(text: string): void
  /** the same for several, in one go; the array is not changed afterwards, and may be given to other peers too */
  sendAll(texts: ReadonlyArray<string>): void
  /** bytes given to `send` and `sendAll` that the system has not taken yet */
  buffered(): number
  /** stops reading from the client: nothing is received until `resume`, which may receive before it returns */
  pause(): void
  resume(): void
  /** from now on; `defaultLimits` before */
  limit(limits: MessageLimits): void
  /** closes the connection with this code (RFC 6455, section 7.4.1): nothing more is received, and `close` follows soon */
  cut(code: number, reason: string): void
}

/** What takes what one WebSocket client sends. */
export interface Receiver {
  /** one text message came */
  receive(text: string): void
  /** all that was sent has been taken by the system */
  drained(): void
  /** the client has gone; called once, and nothing else after it */
  close(): void
}

/** A stranger may send one short message at a time. */
export const defaultLimits: MessageLimits = { bytes: 16 << 10, fragments: 64 }

/** A client is pinged so often; one that has sent nothing, not even a pong, for two of these is gone with the third. */
export const heartbeat = "30 seconds"
export const silentHeartbeats = 2

/** What is left of a connection is destroyed this long after it was asked to close. */
export const closeGrace = "1 second"

/** What stands behind a listening socket. */
export interface Host {
  /** the scope closes when the reply has been sent, or nobody is left to send it to */
  readonly answer: (request: HttpRequest) => Effect.Effect<HttpReply, never, Scope.Scope>
  /** whether a WebSocket may be opened: why not, or what connects it */
  readonly admit: (request: RequestHead) => Refusal | ((peer: Peer) => Receiver)
}
