import type { CameraId } from "../../schema/Camera.ts"
import {
  type SubscribableName,
  subscribableNames,
  topicAliases,
  topicFamilies,
  type TopicPattern
} from "../../schema/Event.ts"

/** What one client is subscribed to: each topic, for these cameras or for all. It never changes: a new one is made. */
export type Subscription = ReadonlyMap<SubscribableName, ReadonlySet<CameraId> | "ALL">

export const noSubscription: Subscription = new Map()

/** All that a client means by it. */
const topicsOf = (pattern: TopicPattern): ReadonlyArray<SubscribableName> => {
  if (isFamily(pattern)) return subscribableNames.filter((name) => name.startsWith(pattern.slice(0, -1)))
  return [isAlias(pattern) ? topicAliases[pattern] : pattern]
}

const isFamily = (pattern: TopicPattern): pattern is (typeof topicFamilies)[number] =>
  (topicFamilies as ReadonlyArray<string>).includes(pattern)
const isAlias = (pattern: TopicPattern): pattern is keyof typeof topicAliases => Object.hasOwn(topicAliases, pattern)

/** The others are of no camera: no filter narrows them. */
const ofCamera = /^((camera|recording|snapshot)\.|telemetry$)/

/** Without a camera: for all of them. */
export const subscribed = (
  before: Subscription,
  patterns: ReadonlyArray<TopicPattern>,
  camera: CameraId | undefined
): Subscription => {
  const after = new Map(before)
  for (const topic of patterns.flatMap(topicsOf)) {
    const has = after.get(topic)
    if (camera === undefined || !ofCamera.test(topic)) after.set(topic, "ALL")
    else if (has !== "ALL") after.set(topic, new Set([...(has ?? []), camera]))
  }
  return after
}

/** From these topics, whichever cameras they were narrowed to. */
export const unsubscribed = (before: Subscription, patterns: ReadonlyArray<TopicPattern>): Subscription => {
  const gone = new Set(patterns.flatMap(topicsOf))
  return new Map([...before].filter(([topic]) => !gone.has(topic)))
}

/** Whether an event of this topic and camera, or of none, is what the client subscribed to. */
export const includes = (
  subscription: Subscription,
  topic: SubscribableName,
  camera: CameraId | undefined
): boolean => {
  const cameras = subscription.get(topic)
  return cameras === "ALL" || (cameras !== undefined && camera !== undefined && cameras.has(camera))
}

/** Topics, each counted once for each camera that it is narrowed to. */
export const sizeOf = (subscription: Subscription): number => {
  let size = 0
  for (const cameras of subscription.values()) size += cameras === "ALL" ? 1 : cameras.size
  return size
}
