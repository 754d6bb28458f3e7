import { signal } from "@preact/signals"
import { assert, it } from "@effect/vitest"
import type { Camera } from "../../schema/Camera.ts"
import type { Notification } from "../../schema/Event.ts"
import type { ServiceStatus } from "../../schema/System.ts"
import { Cameras } from "../../src/console/session/Cameras.ts"
import type { Session } from "../../src/console/session/Session.ts"

/** What a page knows of the cameras, and what has the service tell it something. */
const makeCameras = () => {
  const listeners: Array<(told: Notification) => void> = []
  const session = {
    listen: (listener: (told: Notification) => void) => listeners.push(listener),
    phase: signal({ _tag: "Ready" }),
    connection: signal(0),
    account: signal(undefined)
  }
  const cameras = new Cameras(session as unknown as Session)
  const tell = (told: Notification) => listeners.forEach((listener) => listener(told))
  return {
    cameras,
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
