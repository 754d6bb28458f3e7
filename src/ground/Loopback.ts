import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Agent, type IncomingMessage, request, type RequestOptions } from "node:http"
import { connect } from "node:net"
import { dialKnown } from "./DialKnown.ts"
import { ownsSocket } from "./SocketOwner.ts"
import type { Socket } from "./SocketTable.ts"

/** No (whole) reply: refused, reset, or not what it should be. */
export class NoReply extends Schema.TaggedError<NoReply>()("NoReply", {
  detail: Schema.String,
  /** the errno's name (`ECONNREFUSED`), or Node's for what is wrong with HTTP or TLS */
  code: Schema.optionalKey(Schema.String),
  cause: Schema.optionalKey(Schema.Defect())
}) {}

export interface Target {
  readonly host: string
  readonly port: number
}

export interface WebTarget extends Target {
  /**
   * by TLS, to who shows a certificate that this is the case for (SHA-256, in hex): others hear nothing, and the reply is
   * `otherCertificate`; default: not by TLS
   */
  readonly isKnown?: (fingerprint: string) => boolean
}

export interface JsonRequest {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  /** by lower-case name, beside those of the body */
  readonly headers?: Readonly<Record<string, string>>
}

export interface JsonReply {
  readonly status: number
  /** `undefined` when the body is empty or no JSON. */
  readonly body: unknown
}

export interface WebCall {
  readonly method: string
  /** path and query */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  /** as text; none: an empty one */
  readonly body?: string
}

/** The head of a reply, and what follows it. */
export interface WebAnswer {
  readonly status: number
  /** by lower-case name; what came several times is one, with commas */
  readonly headers: Readonly<Record<string, string>>
  /** read as fast as it is run, and at most once; the end of the request's scope breaks it off */
  readonly body: Stream.Stream<Uint8Array, NoReply>
}

/** What MediaMTX is reached by, and what can be known of those who reach it. */
export class Loopback extends Context.Service<
  Loopback,
  {
    /** a client of one JSON API, with connections that are kept as long as the scope lives */
    readonly json: (
      target: Target
    ) => Effect.Effect<(request: JsonRequest) => Effect.Effect<JsonReply, NoReply>, never, Scope.Scope>
    /** a client of one HTTP server whose replies are read as they come, with connections that are kept as long as the scope lives */
    readonly web: (
      target: WebTarget
    ) => Effect.Effect<(request: WebCall) => Effect.Effect<WebAnswer, NoReply, Scope.Scope>, never, Scope.Scope>
    /**
     * Says something on a connection of its own, and hears until `whole` makes something of all that came (a character
     * is a byte).
     */
    readonly ask: <A>(
      target: Target,
      words: string,
      whole: (heard: string) => A | undefined
    ) => Effect.Effect<A, NoReply>
    /** whether a process of ours has this socket, alone; undefined where this machine knows no such socket */
    readonly has: (pid: number, socket: Socket) => Effect.Effect<boolean | undefined>
  }
>()("camera-service/ground/Loopback") {
  /** Node's, and what Linux tells in `/proc`. */
  static readonly layer = Layer.sync(Loopback, () => Loopback.of({ json, web, ask, has: ownsSocket }))
}

const maxReplyBytes = 64 * 1024 * 1024
const maxHeard = 64 * 1024

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const noReply = (cause: NodeJS.ErrnoException): NoReply =>
  new NoReply({ detail: cause.message, ...(cause.code === undefined ? {} : { code: cause.code }), cause })

/** `NoReply.code`: there was more than `maxBytes` of it. */
export const tooLarge = "TOO_LARGE"

/** Hears a reply's body to its end; one of more bytes than this is cut off, and none. */
export const hearBody = (
  response: IncomingMessage,
  maxBytes: number,
  end: (outcome: Effect.Effect<Buffer, NoReply>) => void
): void => {
  const chunks: Array<Buffer> = []
  let length = 0
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxBytes) response.destroy(Object.assign(new Error("the reply is too large"), { code: tooLarge }))
  })
  response.on("error", (cause) => end(Effect.fail(noReply(cause))))
  response.on("end", () => end(Effect.succeed(Buffer.concat(chunks))))
}

/** Hears a reply of JSON to its end. */
export const hear = (
  response: IncomingMessage,
  maxBytes: number,
  end: (outcome: Effect.Effect<JsonReply, NoReply>) => void
): void =>
  hearBody(response, maxBytes, (heard) =>
    end(Effect.map(heard, (bytes) => ({ status: response.statusCode ?? 0, body: parse(bytes.toString()) })))
  )

/*
 * It is `node:http`, which the service's own servers load anyway. Measured on Node 24 beside it: Effect's HttpClient takes
 * 3.5 MB more and 4 times the CPU a call, fetch (undici) 17 MB more and 2.5 times the CPU.
 */
const json = Effect.fnUntraced(function* (target: Target) {
  // MediaMTX closes idle connections after 30 s (httpp/server.go): let ours go before, or a call meets a reset.
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => new Agent({ keepAlive: true, maxSockets: 8, maxFreeSockets: 8, timeout: 5000 })),
    (agent) => Effect.sync(() => agent.destroy())
  )
  return ({ body, headers: said, method, path }: JsonRequest): Effect.Effect<JsonReply, NoReply> =>
    Effect.callback((resume) => {
      const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
      const headers = {
        ...said,
        ...(payload && { "content-type": "application/json", "content-length": payload.length })
      }
      const sending = request({ agent, ...target, method, path, headers }, (response) =>
        hear(response, maxReplyBytes, resume)
      )
      sending.on("error", (cause) => resume(Effect.fail(noReply(cause))))
      sending.end(payload)
      return Effect.sync(() => sending.destroy())
    })
})

/** However many ask: a request beyond them waits for another's end, and each holds a descriptor at both ends. */
const webAgent = { keepAlive: true, maxSockets: 1024, maxFreeSockets: 8, timeout: 5000 }

interface WebClient {
  readonly agent: Agent
  readonly request: typeof request
}

const plainClient = Effect.sync((): WebClient => ({ agent: new Agent(webAgent), request }))

const secureClient = (isKnown: (fingerprint: string) => boolean) =>
  Effect.promise(async (): Promise<WebClient> => {
    const [https, tls] = await Promise.all([import("node:https"), import("node:tls")])
    const agent = new https.Agent(webAgent)
    agent.createConnection = dialKnown(tls.connect, isKnown)
    return { agent, request: https.request }
  })

const web = Effect.fnUntraced(function* ({ isKnown, ...target }: WebTarget) {
  const client = yield* Effect.acquireRelease(
    isKnown === undefined ? plainClient : secureClient(isKnown),
    ({ agent }) => Effect.sync(() => agent.destroy())
  )
  const { agent } = client
  const start = (options: RequestOptions) => client.request({ ...options, ...target, agent })
  return Effect.fnUntraced(function* ({ body = "", headers, method, target: path }: WebCall) {
    // a request whose reply was read to its end has left its connection for the next
    const sending = yield* Effect.acquireRelease(
      Effect.sync(() => start({ method, path, headers })),
      (asked) => Effect.sync(() => asked.destroy())
    )
    const response = yield* Effect.callback<IncomingMessage, NoReply>((resume) => {
      sending.on("response", (heard) => {
        // who reads it is told; nobody may
        heard.on("error", () => undefined)
        resume(Effect.succeed(heard))
      })
      sending.on("error", (cause) => resume(Effect.fail(noReply(cause))))
      sending.end(body)
    })
    const said = Object.entries(response.headersDistinct)
    return {
      status: response.statusCode ?? 0,
      headers: Object.fromEntries(said.map(([name, values = []]) => [name, values.join(", ")])),
      body: Stream.fromAsyncIterable(response as AsyncIterable<Uint8Array>, (cause) => noReply(cause as Error))
    }
  })
})

const ask = <A>(target: Target, words: string, whole: (heard: string) => A | undefined): Effect.Effect<A, NoReply> =>
  Effect.callback((resume) => {
    const socket = connect(target.port, target.host, () => socket.write(words))
    // the server would keep the connection open, and nobody listens any more
    const end = (outcome: Effect.Effect<A, NoReply>): void => {
      socket.destroy()
      resume(outcome)
    }
    const fail = (detail: string): void => end(Effect.fail(new NoReply({ detail })))
    let heard = ""
    socket.setEncoding("latin1")
    socket.on("data", (text: string) => {
      heard += text
      const found = whole(heard)
      if (found !== undefined) end(Effect.succeed(found))
      else if (heard.length > maxHeard) fail("the reply is too long")
    })
    socket.on("error", (error) => fail(error.message))
    socket.on("close", () => fail("the server closed the connection"))
    return Effect.sync(() => socket.destroy())
  })
