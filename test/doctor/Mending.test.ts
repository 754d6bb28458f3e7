import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { KernelFiles } from "../../src/ground/KernelFiles.ts"
import { Loopback } from "../../src/ground/Loopback.ts"
import { TestGround } from "../../testing/TestGround.ts"
import { bytes, from, look, test } from "./DoctorBench.ts"

describe("what the doctor has one do", () => {
  const unusable = [
    ["is full", { name: "full" }, "delete files"],
    ["is read-only", { name: "read-only" }, "remount,rw"],
    ["cannot sync", { name: "sync fails" }, "dmesg"]
  ] as const
  for (const [why, fault, mend] of unusable) {
    test(
      `does not have its rights changed where the disk ${why}`,
      Effect.gen(function* () {
        const { disk } = yield* TestGround
        yield* disk.suffer(fault)
        const found = (yield* look()).of("disk_sync")
        assert.strictEqual(found?.severity, "failure")
        assert.include(found?.mend, mend)
        assert.notInclude(found?.mend, "chown")
      })
    )
  }

  /** What the kernel says in these files, beside what it says anyway. */
  const saying = (texts: Readonly<Record<string, string>>) =>
    Effect.map(KernelFiles, (files) => KernelFiles.of({ ...files, text: (path) => texts[path] ?? files.text(path) }))

  test(
    "finds that the disk of the data folder is not mounted, and takes what it was mounted on for no new box",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      disk.outside.write(
        "/etc/fstab",
        bytes("# disks\nUUID=1 / ext4 defaults 0 1\nUUID=2 /srv/video\\040disk ext4 nofail 0 2\n")
      )
      const root = "/dev/sda1 / ext4 rw 0 0\n"
      const ours = "/dev/sdb1 /srv/video\\040disk ext4 rw 0 0\n"
      const origin = from({ CAMERA_SERVICE_DATA_DIR: "/srv/video disk/cameras" })
      const seen = (mounts: string) =>
        Effect.flatMap(saying({ "/proc/self/mounts": mounts }), (files) =>
          Effect.provideService(look(origin), KernelFiles, files)
        )
      const away = yield* seen(root)
      for (const name of ["disk", "disk_sync"]) {
        assert.deepInclude(away.of(name), {
          severity: "failure",
          evidence: "/srv/video disk/cameras is on /srv/video disk, which fstab has and is not mounted",
          mend: "mount '/srv/video disk'; if that fails: dmesg | tail, and lsblk"
        })
      }
      assert.strictEqual((yield* seen(root + ours)).of("disk_sync")?.evidence.includes("first start"), true)
    })
  )

  test(
    "has a service that was stopped go on, where it would have been restarted",
    Effect.gen(function* () {
      const { disk } = yield* TestGround
      disk.outside.write("/data/service.pid", bytes("77\n"))
      const files = yield* saying({
        "/proc/77/cmdline": "node\0/usr/lib/camera-service/camera-service.cjs\0serve\0",
        "/proc/77/comm": "node\n",
        "/proc/77/status": "Name:\tnode\nState:\tT (stopped)\nPPid:\t1\n"
      })
      const { of } = yield* Effect.provideService(look(), KernelFiles, files)
      assert.deepInclude(of("service"), { severity: "failure", mend: "kill -CONT 77" })
      assert.include(of("service")?.evidence, "process 77 is stopped")
    })
  )

  test(
    "tells why MediaMTX does not start, in its own words",
    Effect.gen(function* () {
      const body = {
        status: "UNHEALTHY",
        uptime: 7,
        reasons: ["MediaMTX is stopped"],
        parts: [
          {
            part: "mediamtx",
            state: "ERROR",
            error: "ERR inotify: too many open files (raise fs.inotify.max_user_instances)"
          }
        ]
      }
      const loopback = yield* Loopback
      const { of } = yield* Effect.provideService(
        look(),
        Loopback,
        Loopback.of({ ...loopback, json: () => Effect.succeed(() => Effect.succeed({ status: 200, body })) })
      )
      assert.strictEqual(of("service")?.severity, "failure")
      assert.include(
        of("service")?.evidence,
        "MediaMTX is stopped; MediaMTX: ERR inotify: too many open files (raise fs.inotify"
      )
    })
  )

  test(
    "does not have another MediaMTX installed where the one that is there cannot run",
    Effect.gen(function* () {
      const { programs } = yield* TestGround
      programs.play("mediamtx", () => Effect.succeed({ code: 1, stderr: "error while loading shared libraries" }))
      const { of } = yield* look()
      assert.strictEqual(of("mediamtx")?.severity, "failure")
      assert.strictEqual(of("mediamtx")?.evidence, "mediamtx ended with status 1: error while loading shared libraries")
      assert.strictEqual(of("mediamtx")?.mend, "try it: mediamtx --version")
    })
  )
})
