import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { join } from "node:path"
import { Certificate } from "../config/Certificate.ts"
import { reachableHere } from "../config/Hosts.ts"
import { Settings } from "../config/Settings.ts"
import { areStreamsSecured } from "../config/Tls.ts"
import { Disk } from "../ground/Disk.ts"
import type { DiskError } from "../ground/DiskError.ts"
import { Loopback } from "../ground/Loopback.ts"
import type { ServerCertificate } from "../ground/ServerCertificate.ts"
import { makeTrouble } from "../telemetry/Trouble.ts"

/** MediaMTX passes over what happens to a file within a second of what it looked for (`internal/confwatcher`), for good. */
const looksAgainAfter = Duration.millis(1500)
const mostBetween = Duration.minutes(1)
const answerTime = Duration.seconds(1)
/** More certificates than are made while it shows an old one. */
const mostHanded = 16
/** So often it has not shown what it was given: it does not want it. */
const worrying = 3

interface Handed {
  /** the file that it reads chain and key from; undefined: nothing is encrypted */
  readonly file: string | undefined
  /** for one that runs: gives it each certificate that takes another's place */
  readonly follow: Effect.Effect<void>
}

/**
 * The certificate that our own MediaMTX shows: it is given copies of pairs that fit, and the operator's files, which may be
 * exchanged one by one, it never sees.
 */
export class MediaMtxCertificate extends Context.Service<
  MediaMtxCertificate,
  {
    /** has it in a file, for us and a MediaMTX that is about to start; it is gone with the scope */
    readonly hand: Effect.Effect<Handed, DiskError, Scope.Scope>
    /** whether MediaMTX may show the one with this fingerprint (SHA-256, in hex): it was given it */
    readonly isHanded: (fingerprint: string) => boolean
  }
>()("camera-service/process/MediaMtxCertificate") {
  static readonly layer = Layer.effect(
    MediaMtxCertificate,
    Effect.gen(function* () {
      const disk = yield* Disk
      const { web } = yield* Loopback
      const { shown } = yield* Certificate
      const { boot } = yield* Settings
      const { hls_port, host, playback_port, rtsps_port, webrtc_port } = boot.mediamtx
      let handed: ReadonlyArray<string> = []

      const write = Effect.fnUntraced(function* (folder: string, pair: ServerCertificate) {
        const [file, fresh] = [join(folder, "certificate.pem"), join(folder, "next.pem")]
        yield* Effect.ignore(disk.remove(fresh))
        const opened = yield* disk.create(fresh, 0o600)
        yield* opened.append(new TextEncoder().encode(oneFile(pair)))
        yield* disk.rename(fresh, file)
        return file
      }, Effect.scoped)

      const shownAt = Effect.fnUntraced(function* (port: number) {
        let seen: string | undefined
        const isKnown = (fingerprint: string) => {
          seen = fingerprint
          return false
        }
        // to whom nobody is known asks nothing
        const ask = yield* web({ host: reachableHere(host), port, isKnown })
        yield* Effect.ignore(ask({ method: "GET", target: "/", headers: {} }))
        return seen
      }, Effect.scoped)
      const isShown = ({ fingerprint }: ServerCertificate) =>
        Effect.forEach([rtsps_port, hls_port, webrtc_port, playback_port], shownAt, { concurrency: "unbounded" }).pipe(
          Effect.map((seen) => seen.every((one) => one === fingerprint)),
          Effect.timeoutOrElse({ duration: answerTime, orElse: () => Effect.succeed(false) })
        )

      const trouble = makeTrouble()
      const give = Effect.fnUntraced(function* (folder: string, next: ServerCertificate) {
        // until it shows the new one, it shows one before
        handed = [next.fingerprint, ...handed].slice(0, mostHanded)
        let wait = looksAgainAfter
        for (let tries = 1; ; tries++) {
          const written = yield* Effect.result(write(folder, next))
          yield* Effect.sleep(wait)
          if (yield* isShown(next)) break
          if (tries === worrying) {
            yield* trouble
              .began("MediaMTX does not show the new certificate; it is given it again and again")
              .pipe(Effect.annotateLogs(written._tag === "Failure" ? { reason: written.failure.code } : {}))
          }
          wait = Duration.min(Duration.times(wait, 2), mostBetween)
        }
        yield* trouble.isOver("MediaMTX shows the new certificate now")
        handed = [next.fingerprint]
      })

      const hand = Effect.gen(function* (): Effect.gen.Return<Handed, DiskError, Scope.Scope> {
        if (shown === undefined || !areStreamsSecured(boot)) return { file: undefined, follow: Effect.void }
        const folder = yield* disk.temporaryFolder("camera-service-tls-")
        const first = yield* SubscriptionRef.get(shown)
        const file = yield* write(folder, first)
        handed = [first.fingerprint]
        // Removed as soon as it was read: hardly ever a key is left behind when we are killed.
        const remove = Effect.ignore(disk.remove(file))
        const follow = SubscriptionRef.changes(shown).pipe(
          Stream.dropWhile((next) => next === first),
          Stream.switchMap((next) => Stream.fromEffect(Effect.andThen(give(folder, next), remove))),
          Stream.runDrain
        )
        return { file, follow: Effect.andThen(remove, follow) }
      })

      return { hand, isHanded: (fingerprint) => handed.includes(fingerprint) }
    })
  )
}

const pemBlocks = /-----BEGIN ([0-9A-Z ]+)-----[^-]+-----END \1-----/g

/**
 * Both in one file, which is exchanged in one step; MediaMTX takes from it what it looks for (Go's `tls.LoadX509KeyPair`).
 * Left out is what else is in the operator's files: where a file of theirs has both, neither comes twice.
 */
const oneFile = ({ chain, key }: ServerCertificate): string => {
  const blocks = (text: string, isWanted: (label: string) => boolean) =>
    [...text.matchAll(pemBlocks)].flatMap(([block, label = ""]) => (isWanted(label) ? [block] : []))
  return [
    ...blocks(chain, (label) => label === "CERTIFICATE"),
    ...blocks(Redacted.value(key), (label) => label.endsWith("PRIVATE KEY"))
  ]
    .map((block) => `${block}\n`)
    .join("")
}
