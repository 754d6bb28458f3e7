import { recallOrder } from "../memory.ts"
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
  return offer && { bearer, offer, timer: setTimeout(() => withdraw(), patience) }
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
// a link that is opened in the background is looked at later, or never
let waiting = token === undefined || document.visibilityState !== "visible" ? undefined : make(token)

const withdraw = () => {
  void waiting?.offer.takeBack()
  waiting?.offer.peer.close()
  taken()
}

const taken = () => {
  clearTimeout(waiting?.timer)
  waiting = undefined
}

/** Done once it is answered, has been on its way for so long, or is none: on a wall that begins with another camera. */
export const firstAnswer = async (): Promise<void> => {
  if (waiting === undefined) return
  const { reply } = waiting.offer
  // the first look at what a browser keeps takes it 20 ms, in which the offer is made by other threads of it; nobody is asked yet
  const [front = first] = recallOrder()
  if (front !== first) return withdraw()
  // what it fails by tells the tile that takes the offer
  await Promise.race([reply.catch(() => undefined), new Promise((over) => setTimeout(over, answerTime))])
}

/** The offer that was made for this camera, for who asks for it first with the login that made it. */
export const takeFirstOffer = (device: string, bearer: string): Offer | undefined => {
  if (waiting === undefined || device !== first || bearer !== waiting.bearer) return undefined
  const { offer } = waiting
  taken()
  return offer
}
