import * as Effect from "effect/Effect"
import { fstatSync, writeSync } from "node:fs"
import { codeOf } from "../ground/DiskError.ts"
import { OutputFailed } from "./OutputFailed.ts"
import { ReaderGone } from "./ReaderGone.ts"

/** Writes all of it, or says why not. */
export type Print = (said: string | Uint8Array) => Effect.Effect<void, OutputFailed>
/** The same for who goes on only to be read. */
export type PrintOn = (said: string | Uint8Array) => Effect.Effect<void, OutputFailed | ReaderGone>

type Target = Pick<NodeJS.WriteStream, "write"> & { readonly fd: number; readonly isTTY?: boolean }

/** Of a pipe whose reader went. */
const gone: ReadonlySet<string> = new Set(["EPIPE", "ERR_STREAM_DESTROYED"])

/** What is written to a stream of this process; what its reader did not want is nobody's loss. */
export const printTo = (stream: Target): Print => {
  const print = printOnTo(stream)
  return (said) => Effect.catchTag(print(said), "ReaderGone", () => Effect.void)
}

/** The same, until its reader has gone. */
export const printOnTo = (stream: Target): PrintOn => {
  const ofFile = (bytes: Uint8Array) =>
    Effect.try({
      // Node's own stream of a file drops what a disk that becomes full has no room for (SyncWriteStream, Node 24)
      try: () => {
        for (let at = 0; at < bytes.length;) at += writeSync(stream.fd, bytes, at)
      },
      catch: (cause) => new OutputFailed({ code: codeOf(cause) })
    })
  const ofStream = (said: string | Uint8Array) =>
    Effect.callback<void, OutputFailed | ReaderGone>((resume) => {
      stream.write(said, (cause) => {
        if (!cause) return resume(Effect.void)
        const code = codeOf(cause)
        resume(Effect.fail(gone.has(code) ? new ReaderGone() : new OutputFailed({ code })))
      })
    })
  return (said) =>
    Effect.suspend(() =>
      isFile(stream) ? ofFile(typeof said === "string" ? Buffer.from(said) : said) : ofStream(said)
    )
}

/** A file, or a device that is no terminal: what is written is there, or refused, at once. */
const isFile = ({ fd, isTTY }: Target): boolean => {
  if (isTTY === true) return false
  const kind = fstatSync(fd)
  return kind.isFile() || kind.isCharacterDevice()
}
