import { signal } from "@preact/signals"
import { assert, it } from "@effect/vitest"
import type { Camera } from "../../schema/Camera.ts"
import * as Effect from "effect/Effect"
import type { Notification } from "../../schema/Event.ts"
import type { ServiceStatus } from "../../schema/System.ts"
import { dismiss, notices } from "../../src/console/notices.ts"
import { Cameras } from "../../src/console/session/Cameras.ts"
import type { Session } from "../../src/console/session/Session.ts"

/** What a page knows of the cameras, and what has the service tell it something. */
const makeCameras = () => {
  let list: ReadonlyArray<Partial<Camera>> = []
  const listeners: Array<(told: Notification) => void> = []
  const session = {
    listen: (listener: (told: Notification) => void) => listeners.push(listener),
    phase: signal({ _tag: "Ready" }),
    connection: signal(0),
    account: signal(undefined),
    has: () => false,
    serverNow: () => Date.now(),
    ask: () => Effect.succeed({ cameras: list })
  }
  const cameras = new Cameras(session as unknown as Session)
  const tell = (told: Notification) => listeners.forEach((listener) => listener(told))
  return {
    cameras,
    /** the next connection, by which there are these cameras */
    connect: (found: ReadonlyArray<Partial<Camera>>) =>
      new Promise<void>((resolve) => {
        list = found
        const stop = cameras.list.subscribe((known) => {
          if (known?.length === found.length) queueMicrotask(() => resolve(stop()))
        })
        session.connection.value++
      }),
    tellRecording: (device: string) =>
      tell({
        method: "recording_status_update",
        params: { device, status: "RECORDING", filename: `${device}.mp4`, duration: 0 }
      }),
    tellCamera: (camera: Partial<Camera>) =>
      tell({ method: "camera_status_update", params: { status: "CONNECTED", fps: 30, ...camera } as Camera }),
    tellMediaServer: (mediamtx: ServiceStatus["components"]["mediamtx"]) =>
      tell({ method: "system_health_update", params: { components: { mediamtx } } as ServiceStatus })
  }
}

it("a camera is at fault while the service says so, of it or of the media server", () => {
  const { cameras, tellCamera, tellMediaServer } = makeCameras()
  tellCamera({ device: "camera0" })
  assert.isFalse(cameras.isFaulty("camera0"))
  tellCamera({ device: "camera0", status: "ERROR" })
  assert.isTrue(cameras.isFaulty("camera0"))
  tellCamera({ device: "camera0" })
  assert.isFalse(cameras.isFaulty("camera0"))
  // as it is told of one that comes up and ends again and again, without a change in between
  tellMediaServer("STARTING")
  assert.isTrue(cameras.isFaulty("camera0"))
  tellMediaServer("RUNNING")
  assert.isFalse(cameras.isFaulty("camera0"))
})

it("a camera of two pictures a second has not stopped half a second after one, whatever the media server does", () => {
  const { cameras, tellCamera, tellMediaServer } = makeCameras()
  tellCamera({ device: "camera0", fps: 2 })
  tellMediaServer("STARTING")
  assert.isFalse(cameras.isFaulty("camera0"))
})

it("recordings that ended while the page was not connected are told of in one notice, each by its name", async () => {
  const { connect, tellRecording } = makeCameras()
  const hub = [0, 1, 2, 3, 4, 5, 6, 7].map((number) => `camera${number}`)
  hub.forEach(tellRecording)
  await connect(hub.map((device) => ({ device, status: "CONNECTED" })))
  const told = notices.peek()
  told.forEach(({ id }) => dismiss(id))
  assert.deepStrictEqual(
    told.map(({ what }) => what),
    [`${hub.join(", ")} are not being recorded any more: their recordings ended while this page was not connected.`]
  )
})
