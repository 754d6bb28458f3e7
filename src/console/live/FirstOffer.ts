import { tokenIn } from "../session/LoginLink.ts"
import { makeOffer, type Offer } from "./Offer.ts"

/** The first tile of a wall is this camera's, as long as nobody has moved it. */
const first = "camera0"
/** Milliseconds: a live camera's answer comes 10 ms after the offer, which takes a browser 50 ms to make. */
const answerTime = 100
/** Milliseconds; whoever has another camera in sight, or none, does without. */
const patience = 5000

/**
 * The first live picture of who follows a link that logs in: it is asked for while the page itself is on its way (see
 * `FirstSocket.ts`), and by the time that there is a tile for it, it is there.
 */
const make = (token: string) => {
  const bearer = `Bearer ${token}`
  const offer = offerOf(bearer)
  if (offer === undefined) return undefined
  const timer = setTimeout(() => {
    waiting = undefined
    void offer.takeBack()
    offer.peer.close()
  }, patience)
  return { offer, timer }
}

const offerOf = (bearer: string): Offer | undefined => {
  try {
    return makeOffer(first, bearer)
  } catch {
    // a browser's owner may have switched WebRTC off: the tile tries it again, and tells
    return undefined
  }
}

const token = tokenIn(location.hash)
let waiting = token === undefined ? undefined : make(token)

/** Done once it is answered, or has been on its way for so long. */
export const firstAnswer: Promise<unknown> | undefined =
  waiting &&
  Promise.race([
    // what it fails by the tile tells that takes the offer
    waiting.offer.reply.catch(() => undefined),
    new Promise((over) => setTimeout(over, answerTime))
  ])

/** The offer that was made for this camera, for who asks for it first. */
export const takeFirstOffer = (device: string): Offer | undefined => {
  if (waiting === undefined || device !== first) return undefined
  const { offer, timer } = waiting
  clearTimeout(timer)
  waiting = undefined
  return offer
}
