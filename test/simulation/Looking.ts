import * as Context from "effect/Context"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { MediaMtx } from "../../src/process/MediaMtx.ts"
import type { World } from "./World.ts"

/** What holds at every moment. Gives what is broken; asked again and again as time goes on. */
export type Invariant = (world: World) => () => string | undefined

/** Whether another service runs than when this was asked last, or none. */
export const lives = (world: World) => {
  let last = world.life
  return (): boolean => {
    const isNew = world.life !== last || world.life === undefined
    last = world.life
    return isNew
  }
}

/** Whether MediaMTX runs, and answers as it should. */
export const isMediaMtxWell = ({ life, suffering }: World): boolean =>
  life !== undefined &&
  SubscriptionRef.getUnsafe(Context.get(life.nouns, MediaMtx).state)._tag === "Running" &&
  ![...suffering.keys()].some((name) => name.startsWith("MediaMTX"))
