import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"

/** Nobody listens there. */
export class NobodyThere extends Schema.TaggedError<NobodyThere>()("NobodyThere", { port: Schema.Int }) {}

/** A WebSocket that was not opened, and the HTTP reply that said so; its headers by lower-case name. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  status: Schema.Int,
  headers: Schema.Record(Schema.String, Schema.String),
  body: Schema.String
}) {}

/** A reply that ended before its end. */
export class CutOff extends Schema.TaggedError<CutOff>()("CutOff", {}) {}

export interface Question {
  readonly method?: string
  /** path and query, as they are sent */
  readonly target: string
  /** by lower-case name */
  readonly headers?: Readonly<Record<string, string>>
  /** where the visitor comes from; without it, this machine */
  readonly address?: string
  readonly body?: string
}

export interface Answer {
  readonly status: number
  /** by lower-case name */
  readonly headers: Readonly<Record<string, string>>
  /** read as fast as it is run, and at most once */
  readonly body: Stream.Stream<Uint8Array, CutOff>
}

/** A WebSocket that is open, from the client's side. It closes with its scope. */
export interface Visitor {
  /** sends a text message, in so many fragments */
  readonly send: (...fragments: ReadonlyArray<string>) => void
  /** the next text message */
  readonly text: Effect.Effect<string>
  /** waits until the connection is closed, and tells why; 1006: nobody said */
  readonly closed: Effect.Effect<{ readonly code: number; readonly reason: string }>
  /** reads no more: what is sent to it stays unread, pings are not answered */
  readonly stopReading: () => void
  readonly readOn: () => void
  /** closes the connection as a client that is done does */
  readonly leave: (code: number) => void
  /** goes without a word, as a machine that loses its power does */
  readonly vanish: () => void
}

/** Clients that know HTTP and WebSocket, and nothing of whom they visit. */
export class Visitors extends Context.Service<
  Visitors,
  {
    /** the scope's end hangs up */
    readonly ask: (port: number, question: Question) => Effect.Effect<Answer, NobodyThere | CutOff, Scope.Scope>
    readonly connect: (
      port: number,
      question: Omit<Question, "method" | "body">
    ) => Effect.Effect<Visitor, NobodyThere | Refused, Scope.Scope>
  }
>()("camera-service/testing/Visitors") {}
