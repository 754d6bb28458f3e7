import * as Context from "effect/Context"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import { isIn, parseAddress, parseNetwork } from "../../ground/IpAddress.ts"
import { liveNow, Settings } from "../../config/Settings.ts"
import { type Datagram, type Interface, Multicast } from "../../ground/Multicast.ts"
import { discoveryDropped } from "../../telemetry/Metrics.ts"
import { cameraTypes, matchesIn, type ProbeMatch, probeMessage } from "./ProbeMessages.ts"
import { loadXml } from "./Xml.ts"

/** A camera, by its own word, and the address that said it. */
export interface Answer extends ProbeMatch {
  readonly from: string
}

/** IPv4's group and port (WS-Discovery 1.1, 3.1) */
const group = { address: "239.255.255.250", port: 3702 }
/** Each message goes out so often, for datagrams get lost (SOAP-over-UDP 1.1, appendix I: once again at least). */
const sends = 3
/** Milliseconds to the second time, by chance, then twice as many, up to `maxDelay` (SOAP-over-UDP 1.1, appendix I). */
const minDelay = 50
const maxFirstDelay = 250
const maxDelay = 500
/** Devices wait for up to half a second, by chance (WS-Discovery 1.1, APP_MAX_DELAY), which the last message needs as well. */
const listens = "2 seconds"
/** A flood is cut off: so many answers are looked at, of so many bytes, of each sender so many, and at once so many wait. */
const maxAnswers = 512
const maxBytes = 16 * 1024
const maxOfOne = 16
const maxWaiting = 128
/** So many cameras are told, of each sender so many: a recorder answers for some. */
const maxCameras = 128
const maxCamerasOfOne = 4

/** Finds ONVIF cameras by asking all machines of every network at once. */
export class WsDiscovery extends Context.Service<
  WsDiscovery,
  {
    /**
     * Asks for two seconds; each camera is told once, as soon as it answers. Only machines of the networks that were asked, and
     * of those where the operator has cameras looked for, are heard. Gives what could not be asked, for people.
     */
    readonly search: (found: (answer: Answer) => Effect.Effect<void>) => Effect.Effect<ReadonlyArray<string>>
  }
>()("camera-service/external/WsDiscovery") {
  static readonly layer = Layer.effect(
    WsDiscovery,
    Effect.gen(function* () {
      const multicast = yield* Multicast
      const { uuidV4 } = yield* SecureRandom
      const settings = yield* Settings

      const search = Effect.fn("WsDiscovery.search")(function* (found: (answer: Answer) => Effect.Effect<void>) {
        const readXml = yield* loadXml
        const ids = yield* Effect.forEach(cameraTypes, () => Effect.map(uuidV4(), (uuid) => `urn:uuid:${uuid}`))
        const sent = new Set(ids)
        const messages = cameraTypes.map((type, number) => probeMessage(type, ids[number] ?? ""))
        // more of them than can be looked at are lost, as datagrams are
        const heard = yield* Queue.dropping<Heard>(maxWaiting)
        const senders = new Map<string, number>()
        const known = new Set<string>()
        const cameras = new Map<string, number>()
        let answers = 0
        const dropped = { sender: 0, address: 0 }

        const hear = (isNear: IsNear) => (datagram: Datagram) => {
          if (!isNear(datagram.from)) return void dropped.sender++
          const before = senders.get(datagram.from) ?? 0
          if (datagram.bytes.length > maxBytes || before >= maxOfOne || answers >= maxAnswers) return
          answers++
          senders.set(datagram.from, before + 1)
          Queue.offerUnsafe(heard, { ...datagram, isNear })
        }
        const look = Effect.gen(function* () {
          const { bytes, from, isNear } = yield* Queue.take(heard)
          const envelope = yield* readXml(new TextDecoder().decode(bytes))
          for (const { addresses: told, ...match } of matchesIn(envelope, sent)) {
            // by its name and its address: whoever borrows another's name hides nobody
            const key = `${from} ${match.endpoint}`
            const before = cameras.get(from) ?? 0
            if (known.has(key) || known.size >= maxCameras || before >= maxCamerasOfOne) continue
            known.add(key)
            cameras.set(from, before + 1)
            const inside = told.filter((address) => isNear(hostIn(address)))
            dropped.address += told.length - inside.length
            // one that knows no other than its address of the factory is at the one that it answered from
            yield* found({ ...match, addresses: inside.length === 0 ? told : inside, from })
          }
        }).pipe(
          Effect.catchTag("BadXml", ({ detail }) =>
            Effect.logDebug("an answer to WS-Discovery is not read", { detail })
          ),
          // others have their turn between two of them
          Effect.andThen(Effect.yieldNow)
        )

        /** asks in one network; what kept it from being asked, where something did */
        const ask = Effect.fnUntraced(
          function* (from: Interface) {
            const say = yield* multicast.open(from, hear(near(from, rangesIn(settings))))
            let delay = yield* Random.nextBetween(minDelay, maxFirstDelay)
            for (let time = 1; time <= sends; time++) {
              for (const message of messages) yield* say(group, message)
              if (time === sends) break
              yield* Effect.sleep(delay)
              delay = Math.min(delay * 2, maxDelay)
            }
            return yield* Effect.never
          },
          (asking, { name }) =>
            Effect.catchTag(asking, "NotSent", ({ code }) =>
              Effect.succeed(`cameras can't be asked for on ${name}: ${code}`)
            )
        )

        const interfaces = multicast.interfaces()
        if (interfaces.length === 0) return ["no network interface is up: ONVIF cameras can't be asked for"]
        yield* Effect.forkScoped(Effect.forever(look))
        const asked = yield* Effect.forEach(
          interfaces,
          (from) =>
            Effect.timeoutOrElse(Effect.scoped(ask(from)), { duration: listens, orElse: () => Effect.undefined }),
          { concurrency: "unbounded" }
        )
        yield* Metric.update(discoveryDropped("sender"), dropped.sender)
        yield* Metric.update(discoveryDropped("address"), dropped.address)
        const strangers = dropped.sender === 0 ? [] : [strangersDropped(dropped.sender)]
        return [...asked.filter((why) => why !== undefined), ...strangers]
      }, Effect.scoped)

      return WsDiscovery.of({ search })
    })
  )
}

/** Whether this host is an address where cameras may answer from. */
type IsNear = (host: string) => boolean

interface Heard extends Datagram {
  readonly isNear: IsNear
}

const near = ({ address, bits }: Interface, ranges: ReadonlyArray<string>): IsNear => {
  const networks = [
    ...[parseAddress(address)].flatMap((own) => (own === undefined ? [] : [{ address: own, bits }])),
    ...ranges.flatMap((range) => parseNetwork(range) ?? [])
  ]
  return (host) => {
    const found = parseAddress(host)
    return found !== undefined && networks.some((network) => isIn(network, found))
  }
}

/** Where the operator has cameras looked for, or allows them. */
const rangesIn = (settings: Settings["Service"]): ReadonlyArray<string> => {
  const { discovery, external } = liveNow(settings)
  return [...discovery.skydio_ranges, ...discovery.generic_ranges, ...external.allowed_hosts]
}

const hostIn = (address: string): string => URL.parse(address)?.hostname ?? ""

const strangersDropped = (count: number): string =>
  `${count} ${count === 1 ? "answer was" : "answers were"} dropped: from outside the networks that were asked`
