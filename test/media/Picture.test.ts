import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { markCamera, pictureFacts } from "../../src/media/Picture.ts"
import { jpeg, png } from "../storage/Workbench.ts"
import { filled } from "./FilledJpeg.ts"

const decodes = (picture: Uint8Array) => {
  const done = spawnSync("ffmpeg", ["-v", "error", "-i", "-", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], {
    input: picture
  })
  assert.strictEqual(done.stderr.toString(), "")
  assert.strictEqual(done.status, 0)
  return done.stdout
}

for (const [name, picture] of [
  ["JPEG", jpeg],
  ["JPEG with a fill byte before each marker", filled(jpeg, 1)],
  ["JPEG with more of them", filled(jpeg, 3)],
  ["PNG", png]
] as const) {
  describe(`a ${name}`, () => {
    it("tells its size", () => {
      assert.deepStrictEqual(pictureFacts(picture), { width: 1, height: 1 })
    })

    it("keeps the camera's name, and every pixel", () => {
      const marked = markCamera(picture, "camera123")
      assert.deepStrictEqual(pictureFacts(marked), { width: 1, height: 1, device: "camera123" })
      assert.deepStrictEqual(decodes(marked), decodes(picture))
    })

    it("cut anywhere harms nobody", () => {
      const marked = markCamera(picture, "camera1")
      const whole = { width: 1, height: 1, device: "camera1" }
      for (let length = 0; length < marked.length; length++) {
        const { device = "camera1", ...size } = pictureFacts(marked.subarray(0, length)) ?? whole
        assert.deepStrictEqual({ ...size, device }, whole)
      }
    })
  })
}

describe("a JPEG's mark", () => {
  it("stands behind the JFIF header, which wants to be the first", () => {
    for (const count of [0, 1, 2]) {
      const picture = filled(jpeg, count)
      const marked = Buffer.from(markCamera(picture, "camera1"))
      const head = 2 + count + 18
      assert.deepStrictEqual(marked.subarray(0, head), picture.subarray(0, head))
      assert.strictEqual(marked.indexOf("camera-service camera1"), head + 4)
    }
  })

  it("harms no picture that is cut in its first segment", () => {
    for (let length = 0; length < 20; length++) {
      const cut = jpeg.subarray(0, length)
      assert.isAtLeast(markCamera(cut, "camera1").length, length)
    }
  })
})

describe("other bytes", () => {
  it("are no picture, and are left as they are", () => {
    const text = new TextEncoder().encode("a text that is long enough to be some picture's head")
    assert.isUndefined(pictureFacts(text))
    assert.strictEqual(markCamera(text, "camera0"), text)
  })

  it("believe no other comment", () => {
    const comment = new TextEncoder().encode("taken by camera1")
    const bytes = Uint8Array.of(0xff, 0xd8, 0xff, 0xfe, 0, comment.length + 2, ...comment, ...jpeg.subarray(2))
    assert.deepStrictEqual(pictureFacts(bytes), { width: 1, height: 1 })
  })
})
