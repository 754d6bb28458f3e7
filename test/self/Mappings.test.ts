import { assert, describe, it } from "@effect/vitest"
import { fileMappings, unchangedMappings } from "../../src/self/Mappings.ts"

/** As the kernel writes it, less what is not read. */
const smaps = (...mappings: ReadonlyArray<readonly [head: string, rss: number, dirty: number, anonymous: number]>) =>
  mappings
    .map(
      ([head, rss, dirty, anonymous]) => `${head}
Size:              44520 kB
Rss:               ${rss} kB
Shared_Clean:          0 kB
Shared_Dirty:          0 kB
Private_Clean:         0 kB
Private_Dirty:     ${dirty} kB
Referenced:            4 kB
Anonymous:         ${anonymous} kB
VmFlags: rd ex mr mw me sd 
`
    )
    .join("")

const code = "0074a000-03044000 r-xp 00349000 fe:00 4242                               /opt/node"
const constants = "7fd82dc00000-7fd82dc99000 r--p 00000000 fe:00 7                      /usr/lib/libstdc++.so.6"

describe("the mappings that lie on disk as they are in memory", () => {
  it("are code and constants of programs and libraries", () => {
    assert.deepStrictEqual(unchangedMappings(smaps([code, 23_432, 0, 0], [constants, 612, 0, 0])), [
      { head: code, start: 0x74a000n, length: 0x28fa000 },
      { head: constants, start: 0x7fd82dc00000n, length: 0x99000 }
    ])
  })

  it("are none with a page that was written: relocated data would be lost", () => {
    assert.deepStrictEqual(unchangedMappings(smaps([constants, 12, 12, 12], [code, 12, 0, 4], [code, 12, 4, 0])), [])
  })

  it("are none of which nothing is in memory", () => {
    assert.deepStrictEqual(unchangedMappings(smaps([code, 0, 0, 0])), [])
  })

  it.each([
    ["that can be written", "06b56000-06b7d000 rw-p 06755000 fe:00 4242                  /opt/node"],
    ["that is shared", "7fd82dc00000-7fd82dc99000 r--s 00000000 fe:00 9                  /data/index-shm"],
    ["that nobody may read", "7fd82dc00000-7fd82dc99000 ---p 00000000 fe:00 7            /usr/lib/libc.so.6"],
    ["of no file", "7fd7f3080000-7fd812e40000 r-xp 00000000 00:00 0 "],
    ["of the kernel", "7ffd3a1f2000-7ffd3a1f4000 r-xp 00000000 00:00 0                  [vdso]"]
  ])("are not memory %s", (_, head) => {
    assert.deepStrictEqual(unchangedMappings(smaps([code, 4, 0, 0], [head, 100, 0, 0])).length, 1)
    assert.deepStrictEqual(unchangedMappings(smaps([head, 100, 0, 0], [code, 4, 0, 0])).length, 1)
    assert.deepStrictEqual(fileMappings([head, code, ""].join("\n")), new Set([code]))
  })
})
