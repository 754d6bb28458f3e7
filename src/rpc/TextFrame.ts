import { RateLimited } from "../../schema/Errors.ts"
import {
  type Code,
  errorCodes,
  invalidRequest,
  maxBatchEntries,
  maxFrameBytes,
  parseError
} from "../../schema/JsonRpc.ts"
import { rawId, rawIds } from "./RawIds.ts"
import { failure, typedFailure } from "./Reply.ts"

/** A request or notification object, or what came in its place. */
export interface FrameEntry {
  readonly frame: TextFrame
  readonly message: unknown
  /** the raw text of its id */
  readonly id: string | undefined
}

/** A reply is no longer than what would be said in its place: what changes something is always told how that went. */
const shortReply = 4 << 10

/** The text frame that calls came in: one, or the entries of a batch, whose replies go back together. */
export class TextFrame {
  /** monotonic milliseconds at which it came */
  readonly began: number
  readonly characters: number
  private readonly replies: Array<string> | undefined
  private replyCharacters = 0
  /** a reply did not fit: calls of the batch that have not begun are not carried out */
  isFull = false
  private left: number

  constructor(began: number, characters: number, batched: number | undefined) {
    this.began = began
    this.characters = characters
    this.left = batched ?? 1
    this.replies = batched === undefined ? undefined : []
  }

  isDone(): boolean {
    return this.left === 0
  }

  /**
   * The replies of a batch go in one frame, which takes little more than a client's: whether this one still goes into it.
   * A reply alone may always go, and short ones. Once one does not, the batch is full.
   */
  takes(reply: string): boolean {
    const isFirst = this.replyCharacters === 0
    const fits = isFirst || reply.length <= shortReply || this.replyCharacters + reply.length <= maxFrameBytes
    if (!fits) this.isFull = true
    return fits
  }

  /** A call or entry is done, with its reply if there is one; gives what is to be sent now. */
  settle(reply: string | undefined): string | undefined {
    this.left--
    const { replies } = this
    if (replies === undefined) return reply
    if (reply !== undefined) {
      replies.push(reply)
      this.replyCharacters += reply.length
    }
    return this.left === 0 && replies.length > 0 ? `[${replies.join(",")}]` : undefined
  }
}

/** Why a whole frame is refused: what is answered, and its code. */
export interface Refused {
  readonly code: Code
  readonly reply: string
}

/** What came as one text, in order. */
export const readFrame = (text: string, began: number): ReadonlyArray<FrameEntry> | Refused => {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch (cause) {
    const reason = cause instanceof Error ? withoutContent(cause.message) : "not JSON"
    return refused(parseError, { reason, suggestion: "send one JSON text (RFC 8259) a message" })
  }
  if (!Array.isArray(message)) {
    const isObject = typeof message === "object" && message !== null
    return [{ frame: new TextFrame(began, text.length, undefined), message, id: isObject ? rawId(text) : undefined }]
  }
  if (message.length === 0) return refused(invalidRequest, { hint: "the batch is empty" })
  if (message.length > maxBatchEntries) {
    const hint = `a batch may hold ${maxBatchEntries} entries, this one has ${message.length}`
    return refused(invalidRequest, { hint })
  }
  const frame = new TextFrame(began, text.length, message.length)
  const ids = rawIds(text)
  return message.map((entry: unknown, index) => ({ frame, message: entry, id: ids[index] }))
}

const refused = (code: Code, data: object): Refused => ({ code, reply: failure("null", code, data) })

/** V8 quotes what it stumbles upon, with what stands around it; that may be a secret. */
const withoutContent = (message: string): string => message.replace(/,? (?:\.{3})?".*" ?(?:\.{3})?(?= is not)/s, "")

const most = `the replies of a batch may have ${maxFrameBytes >> 20} MiB together`

/** In place of a reply that does not fit. */
export const tooLong = (id: string): string =>
  typedFailure(
    id,
    errorCodes.RateLimited,
    new RateLimited({
      retry_after_ms: 0,
      reason: `${most}: this call was carried out, and its reply does not fit`,
      suggestion: "what it changed is changed; what it only asks for, ask again without a batch"
    })
  )

/** What is left of a batch whose replies are long enough. */
export const notRun = (): RateLimited =>
  new RateLimited({
    retry_after_ms: 0,
    reason: `${most}: this call was not carried out`,
    suggestion: "send it again, in another batch or without one"
  })
