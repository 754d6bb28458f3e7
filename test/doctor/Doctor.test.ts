import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { patience } from "../../src/doctor/Check.ts"
import type { CameraSpec } from "../../testing/Cameras.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { certificates, type Pair } from "../support/Certificate.ts"
import { bytes, encoders, from, look, test } from "./DoctorBench.ts"

describe("the doctor", () => {
  test(
    "finds a box well where all that the service needs is there",
    Effect.gen(function* () {
      const { of, results } = yield* look()
      assert.deepStrictEqual(
        results.flatMap(({ evidence, name, severity }) => (severity === "ok" ? [] : [`${name}: ${evidence}`])),
        []
      )
      assert.strictEqual(of("ffmpeg")?.evidence, "ffmpeg 7.1, and ffprobe")
      assert.strictEqual(of("mediamtx")?.evidence, "mediamtx v1.21.0")
      assert.strictEqual(of("encoders")?.evidence, "libx264, mjpeg")
    })
  )

  test(
    "tells all errors of a configuration, and looks at the rest all the same",
    Effect.gen(function* () {
      const wrong = { CAMERA_SERVICE_SERVER_PORT: "x", CAMERA_SERVICE_HEALTH_PORT: "0" }
      const { ill, of } = yield* look(from(wrong))
      assert.deepStrictEqual(ill, ["configuration"])
      assert.strictEqual(of("configuration")?.severity, "failure")
      for (const key of ["server.port", "health.port"]) assert.include(of("configuration")?.evidence, key)
      assert.include(of("configuration")?.mend, "camera-service config check")
    })
  )

  test(
    "names FFmpeg that is too old, or lacks an encoder",
    Effect.gen(function* () {
      const { programs } = yield* TestGround
      programs.play("ffmpeg", ({ args, stdout }) =>
        Effect.sync(() => {
          stdout(bytes(args.includes("-encoders") ? (encoders.split("\n")[1] ?? "") : "ffmpeg version 4.4 Copyright\n"))
          return { code: 0 }
        })
      )
      const { ill, of } = yield* look()
      assert.deepStrictEqual(ill, ["ffmpeg", "encoders"])
      assert.include(of("ffmpeg")?.evidence, "too old (4.4)")
      assert.strictEqual(of("encoders")?.evidence, "libx264 is not in it")
      assert.strictEqual(of("encoders")?.mend, "apt-get install ffmpeg")
    })
  )

  test(
    "names who has a camera, and which may not be opened",
    Effect.gen(function* () {
      const { cameras } = yield* TestGround
      yield* (yield* cameras.plug({ name: "Desk" })).occupy("obs")
      yield* (yield* cameras.plug({ name: "Door" })).refuse
      yield* cameras.plug({ name: "Yard" })
      const { ill, of } = yield* look()
      assert.deepStrictEqual(ill, ["cameras"])
      const { evidence = "", mend = "" } = of("cameras") ?? {}
      assert.match(evidence, /\/dev\/video0 \(Desk\): obs \(\d+\) has it open/)
      assert.include(evidence, "/dev/video1 (Door): tester may not open it")
      assert.match(evidence, /\/dev\/video2 \(Yard\)$/)
      assert.match(mend, /^stop it: kill \d+\nusermod --append --groups video tester$/)
    })
  )

  const raw = { fourcc: "YUYV", sizes: [[640, 480]], intervals: [[1, 30]] } as const
  const usb = Effect.map(look(), ({ of }) => of("usb"))
  const plugAll = (...cameras: ReadonlyArray<Omit<CameraSpec, "name">>) =>
    Effect.gen(function* () {
      const ground = yield* TestGround
      for (const [i, camera] of cameras.entries()) yield* ground.cameras.plug({ name: `Cam ${i}`, ...camera })
    })

  test(
    "warns of two cameras on one slow bus that both send their pictures as they are",
    Effect.gen(function* () {
      yield* plugAll(
        { port: "1-1", formats: [raw] },
        { port: "1-2.4", formats: [raw] },
        { port: "2-1", formats: [raw] }
      )
      const { evidence = "", mend, severity } = (yield* usb) ?? {}
      assert.strictEqual(severity, "warning")
      assert.include(evidence, "usb1, 480 Mb/s: 2 cameras\n  /dev/video0 (Cam 0): YUYV 640x480 at 30/s, about 147 Mb/s")
      assert.include(evidence, "usb2, 5000 Mb/s: one camera\n  /dev/video2 (Cam 2)")
      assert.include(mend, "another controller")
    })
  )

  test(
    "finds room for cameras that compress on one slow bus, and for any on a fast one or on one each",
    Effect.gen(function* () {
      const one = { formats: [raw] }
      yield* plugAll({}, {}, {}, { port: "2-1", ...one }, { port: "2-2", ...one }, { port: "2-3", ...one })
      assert.strictEqual((yield* usb)?.severity, "ok")
    })
  )

  test(
    "warns of a camera whose port or cable gives it little",
    Effect.gen(function* () {
      yield* plugAll({ speed: 12 })
      assert.include((yield* usb)?.evidence, "/dev/video0 (Cam 0) has 12 Mb/s")
      assert.include((yield* usb)?.mend, "another cable")
    })
  )

  test(
    "counts a camera of which nothing is known as one that takes nothing",
    Effect.gen(function* () {
      const { cameras } = yield* TestGround
      yield* plugAll({ formats: [raw] })
      yield* (yield* cameras.plug({ name: "Door", formats: [raw] })).refuse
      assert.strictEqual((yield* usb)?.severity, "ok")
      assert.match((yield* usb)?.evidence ?? "", /\/dev\/video1 \(Door\)$/)
    })
  )

  test(
    "warns where no udev gives cameras to their group, or has not seen to one",
    Effect.gen(function* () {
      const { cameras } = yield* TestGround
      const udev = Effect.map(look(), ({ of }) => of("udev"))
      assert.strictEqual((yield* udev)?.severity, "ok")
      cameras.stopUdev()
      assert.include((yield* udev)?.evidence, "udev does not run")
      yield* plugAll({})
      cameras.startUdev()
      assert.deepInclude(yield* udev, {
        severity: "warning",
        evidence: "udev has not seen to /dev/video0",
        mend: "udevadm trigger --subsystem-match=video4linux"
      })
    })
  )

  test(
    "knows whom no camera will open before there is one",
    Effect.gen(function* () {
      const { of } = yield* look()
      assert.strictEqual(of("groups")?.severity, "failure")
      assert.include(of("groups")?.mend, "usermod --append --groups video tester")
    }),
    { user: () => ({ name: "tester", id: 1000, groups: [1000] }) }
  )

  test(
    "finds a secret that is cut off, little memory, and a clock that nobody keeps",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      disk.outside.remove("/data/secrets/jwt_secret")
      disk.outside.write("/data/secrets/jwt_secret", bytes("short"))
      const { ill, of } = yield* look()
      assert.deepStrictEqual(ill, ["token_secret", "clock", "memory"])
      assert.deepStrictEqual(
        ill.map((name) => of(name)?.severity),
        ["failure", "warning", "failure"]
      )
    }),
    { clockIsKept: Effect.succeed(false), room: () => ({ total: 1e9, available: 20e6 }) }
  )

  test(
    "refuses a clock from before the program was made",
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2001-01-01"))
      const { of } = yield* look()
      assert.strictEqual(of("clock")?.severity, "failure")
    })
  )

  test(
    "tells of a disk that is full, and of one that takes long",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      yield* disk.suffer({ name: "small", bytes: 1_000_000 })
      yield* disk.suffer({ name: "slow", by: "400 millis", calls: ["sync"] })
      const looking = yield* Effect.forkChild(look(), { startImmediately: true })
      yield* TestClock.adjust("2 seconds")
      const { of } = yield* Fiber.join(looking)
      assert.strictEqual(of("disk")?.severity, "failure")
      assert.include(of("disk")?.evidence, "storage.reserve_mb")
      assert.strictEqual(of("disk_sync")?.severity, "warning")
    })
  )

  test(
    "tells of a disk that hangs within the time it has, and waits for nothing else of it",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const hung = yield* disk.suffer({ name: "hung", calls: ["sync", "space"] })
      const looking = yield* Effect.forkChild(look(), { startImmediately: true })
      yield* hung.met
      yield* TestClock.adjust(patience)
      const { ill, of } = yield* Fiber.join(looking)
      assert.deepStrictEqual(ill, ["disk", "disk_sync"])
      assert.strictEqual(of("disk")?.evidence, "no answer within 4 s: it hangs, or this machine is very busy")
      yield* hung.takeBack
    })
  )

  test(
    "looks at the disk while the service does, and finds it well",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      yield* disk.suffer({ name: "slow", by: "50 millis", calls: ["remove", "create", "sync"] })
      const both = Effect.all([look(), look()], { concurrency: 2 })
      const looking = yield* Effect.forkChild(both, { startImmediately: true })
      yield* TestClock.adjust("2 seconds")
      for (const { of } of yield* Fiber.join(looking)) {
        assert.strictEqual(of("disk_sync")?.severity, "ok", of("disk_sync")?.evidence)
      }
    })
  )

  test(
    "tells of a certificate that ends soon, has ended, or is none",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      const { make } = yield* certificates
      disk.outside.makeFolder("/tls")
      const tls = { CAMERA_SERVICE_TLS_CERTIFICATE_FILE: "/tls/cert", CAMERA_SERVICE_TLS_KEY_FILE: "/tls/key" }
      const put = ({ cert, key }: Pick<Pair, "cert" | "key">) => {
        disk.outside.remove("/tls")
        disk.outside.makeFolder("/tls")
        disk.outside.write("/tls/cert", bytes(cert))
        disk.outside.write("/tls/key", bytes(key))
      }
      const seen = Effect.map(look(from(tls)), ({ of }) => of("certificate"))
      const [lasting, soon] = [make(), make(10)]
      // they are good from the second on in which they were made
      yield* TestClock.setTime(Date.now())
      put(lasting)
      assert.strictEqual((yield* seen)?.severity, "ok")
      put(soon)
      assert.strictEqual((yield* seen)?.severity, "warning")
      yield* TestClock.adjust("11 days")
      const { evidence, mend, severity } = (yield* seen) ?? {}
      assert.strictEqual(severity, "failure")
      assert.match(evidence ?? "", /^DNS:localhost, IP Address:127\.0\.0\.1: good from \d{4}-.* to \d{4}-/)
      assert.include(mend, "no restart is needed")
      put({ ...soon, key: "none" })
      assert.include((yield* seen)?.evidence, "no key")
      assert.isUndefined((yield* look()).of("certificate"))
    })
  )

  test(
    "leaves nothing in a data folder, and makes none",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      yield* look()
      assert.deepStrictEqual(disk.outside.names("/data"), ["secrets"])
      const { of } = yield* look(from({ CAMERA_SERVICE_DATA_DIR: "/data/new" }))
      assert.strictEqual(of("disk_sync")?.evidence, "/data/new is made at the first start")
      assert.deepStrictEqual(disk.outside.names("/data"), ["secrets"])
    })
  )
})
