import { describe, expect, it } from "vitest"
import * as fc from "fast-check"
import { TopicPattern, topicNames } from "../../schema/Event.ts"
import {
  includes,
  noSubscription,
  sizeOf,
  subscribed,
  type Subscription,
  unsubscribed
} from "../../src/events/Subscription.ts"

const patterns = fc.constantFrom(...TopicPattern.literals)
const cameras = fc.constantFrom("camera0", "camera1", "camera10")
const requests = fc.array(
  fc.record({ topics: fc.array(patterns, { maxLength: 3 }), device: fc.option(cameras, { nil: undefined }) }),
  { maxLength: 6 }
)

/** The words of the contract, read once more. */
const means = (pattern: TopicPattern, topic: string): boolean => {
  if (pattern === "recording.started") return topic === "recording.start"
  if (pattern === "recording.stopped") return topic === "recording.stop"
  return pattern === topic || (pattern.endsWith(".*") && topic.startsWith(`${pattern.split(".")[0]}.`))
}

/** All events that there are, of these cameras or of none. */
const events = topicNames.flatMap((topic) =>
  (/^(?:system|discovery)\./.test(topic) ? [undefined] : ["camera0", "camera1", "camera10"]).map((camera) => ({
    topic,
    camera
  }))
)
const told = (subscription: Subscription) => events.filter(({ camera, topic }) => includes(subscription, topic, camera))

describe("a subscription", () => {
  it("brings the events that a client asked for, of the cameras that it named, and no others", () => {
    fc.assert(
      fc.property(requests, (asked) => {
        const subscription = asked.reduce((all, { device, topics }) => subscribed(all, topics, device), noSubscription)
        const wanted = events.filter(({ camera, topic }) =>
          asked.some(
            ({ device, topics }) =>
              topics.some((pattern) => means(pattern, topic)) &&
              (device === undefined || camera === undefined || device === camera)
          )
        )
        expect(told(subscription)).toEqual(wanted)
      })
    )
  })

  it("brings no more of what was taken back, whatever named it, and all the rest", () => {
    fc.assert(
      fc.property(requests, fc.array(patterns, { minLength: 1, maxLength: 3 }), (asked, back) => {
        const before = asked.reduce((all, { device, topics }) => subscribed(all, topics, device), noSubscription)
        const kept = told(before).filter(({ topic }) => !back.some((pattern) => means(pattern, topic)))
        expect(told(unsubscribed(before, back))).toEqual(kept)
      })
    )
  })

  it("counts once for each topic and camera, however often it was asked for", () => {
    const one = subscribed(noSubscription, ["camera.*", "recording.started"], "camera0")
    expect(sizeOf(one)).toBe(5)
    expect(sizeOf(subscribed(one, ["camera.connected", "recording.start"], "camera0"))).toBe(5)
    expect(sizeOf(subscribed(one, ["camera.*"], "camera1"))).toBe(9)
    // all cameras are one
    expect(sizeOf(subscribed(one, ["camera.*"], undefined))).toBe(5)
  })
})
