import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile, spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import {
  getCapabilities,
  getDeviceInformation,
  getServices,
  getSystemDateAndTime,
  media,
  type OnvifCall
} from "../../src/external/onvif/OnvifCalls.ts"
import { continuousMove, getPresets, gotoPreset, stop } from "../../src/external/onvif/PtzCalls.ts"
import { request } from "../../src/external/onvif/Soap.ts"
import { serveOnvif } from "../support/PtzServer.ts"

/** Where scripts/setup puts it. */
const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache")
const place = join(cache, "camera-service/onvif-zeep-async/v3.2.5")
if (!existsSync(place)) console.warn("onvif-zeep-async is left out: it is not in the cache of scripts/setup")

const user = { name: "admin", password: "canary-of-a-client" }
const profile = "p1"
const calls: ReadonlyArray<OnvifCall<unknown>> = [
  ...[getSystemDateAndTime, getDeviceInformation, getServices, getCapabilities, media.getProfiles],
  ...[media.getStreamUri(profile), media.getSnapshotUri(profile), media.setSynchronizationPoint(profile)],
  ...[continuousMove(profile, { pan: 0.5, tilt: -1, zoom: 0 }, 2), stop(profile), getPresets(profile)],
  gotoPreset(profile, "tok&2")
]
/** What no camera would understand, and the client has to see. */
const nonsense = { ...stop(profile), name: "Stop", parameters: "<Speed>1</Speed>" }

describe.skipIf(!existsSync(place))("an ONVIF client that others made", () => {
  it.effect("understands the camera that we play, and would understand all that we ask", () =>
    Effect.gen(function* () {
      const folder = mkdtempSync(join(tmpdir(), "camera-service-onvif-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const requests = join(folder, "requests.json")
      const token = { user: "admin", digest: "ZGlnZXN0", nonce: "bm9uY2U=", created: "2030-01-01T00:00:00.000Z" }
      const asked = [...calls, nonsense].map((call) => ({
        name: call.name,
        namespace: call.namespace,
        envelope: request(call, token)
      }))
      writeFileSync(requests, JSON.stringify(asked))
      const picture = { status: 200, contentType: "image/jpeg", challenges: [], body: new Uint8Array() }
      const camera = yield* serveOnvif({ user, clockAhead: 86_400_000, ptz: { p1: "Gate" }, picture })
      const script = join(import.meta.dirname, "../support/onvif_client.py")
      const args = [script, String(camera.port), user.name, user.password, requests]
      const { stdout } = yield* Effect.promise(() =>
        promisify(execFile)("/usr/bin/python3", args, { env: { ...process.env, ONVIF: place, HOME: folder } })
      )
      const host = `127.0.0.1:${camera.port}`
      assert.deepEqual(JSON.parse(stdout), {
        serial: "SN1",
        profiles: [
          ["p0", "mainStream", "JPEG"],
          ["p1", "subStream", "H264"]
        ],
        stream: "rtsp://127.0.0.1:554/p1?a=1&b=2",
        picture: `http://${host}/picture?of=p1`,
        presets: [["p1", "Gate"]],
        wrong: ["Stop: ['Speed'] is unknown"]
      })
      const told = ["SetSynchronizationPoint", "GetPresets", "ContinuousMove", "Stop", "GotoPreset"]
      assert.deepEqual(
        camera.calls.filter((call) => told.includes(call)),
        told
      )
    })
  )
})

const util = join(cache, "camera-service/onvif-util/onvif-util")
const library = join(cache, "camera-service/libonvif.so.1")
const apart = ["--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
const canBeApart = spawnSync("unshare", [...apart, "ip", "link", "add", "near", "type", "veth"]).status === 0
const hasUtil = existsSync(util) && existsSync(library) && canBeApart
if (!hasUtil) {
  console.warn("onvif-util is left out: it is not in the cache of scripts/setup, or networks can't be made here")
}

/** What Debian's onvif-tools say of the camera that we play, in a network of theirs, asked for this. */
const saidOf = (folder: string, password: string, asked: ReadonlyArray<string>) =>
  Effect.callback<string>((resume) => {
    const pair = join(import.meta.dirname, "../support/discovery/pair.sh")
    const client = [util, "-u", user.name, "-p", password, "192.168.1.64"]
    const child = spawn("unshare", [...apart, pair, folder, ...client], {
      env: { ...process.env, NODE: process.execPath, LD_LIBRARY_PATH: library },
      stdio: ["pipe", "pipe", "inherit"]
    })
    let said = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => void (said += text))
    child.once("close", () => resume(Effect.succeed(said)))
    child.stdin.end([...asked, "quit", ""].join("\n"))
  })

describe.skipIf(!hasUtil)("Debian's ONVIF client", () => {
  it.effect("finds the camera that we play, shows it the password by its clock, and understands it", () =>
    Effect.gen(function* () {
      const folder = mkdtempSync(join(tmpdir(), "camera-service-onvif-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const asked = ["get time", "get profiles", "get profile 1", "get rtsp", "get rtsp 1"]
      const heard = (password: string) =>
        // it waits half a second for those that it asks who is there, which a busy machine may miss
        Effect.repeat(saidOf(folder, password, asked), { until: (text) => text.includes("found host"), times: 20 })
      const said = yield* heard(user.password)
      const words = said.split("\n").map((line) => line.trim().replace(/ +/g, " "))
      for (const told of [
        "found host: 192.168.1.64",
        "name: Front door",
        "serial: SN1",
        "Time Offset: 86400 seconds",
        ...["Token 0: p0", "Token 1: p1", "Profile set to p1"],
        ...["Width: 640", "Height: 480", "Frame Rate: 25"],
        "rtsp://192.168.1.64:554/p1?a=1&b=2"
      ]) {
        assert.include(words, told, said)
      }
      assert.include(yield* heard("another"), "ERROR: get device information - ter:NotAuthorized")
    })
  )
})
