import { describe, expect, it } from "vitest"
import { makeAccount } from "../../src/rtsp/Account.ts"

const [onvif, rtsp] = [80, 554]

const make = () => {
  let time = 0
  const account = makeAccount(() => time)
  const pass = (minutes: number): void => void (time += minutes * 60_000)
  return { account, pass, shown: () => [onvif, rtsp].map(account.mayShow) }
}

describe("a password", () => {
  it("that was refused twice, wherever, is shown no more for 4 minutes", () => {
    const { account, pass, shown } = make()
    account.refused(onvif)
    expect(shown()).toEqual([true, true])
    account.refused(rtsp)
    expect(shown()).toEqual([false, false])
    pass(3.9)
    expect(shown()).toEqual([false, false])
    pass(0.1)
    expect(shown()).toEqual([true, true])
    account.refused(rtsp)
    account.refused(rtsp)
    expect(shown()).toEqual([false, false])
  })

  it("that one port takes and another refuses is shown at the one", () => {
    const { account, shown } = make()
    account.accepted(rtsp)
    account.refused(onvif)
    account.refused(onvif)
    expect(shown()).toEqual([false, true])
    account.accepted(rtsp)
    expect(shown()).toEqual([false, true])
  })

  it("that is another by now is shown twice in all, although each port took it before", () => {
    const { account, shown } = make()
    account.accepted(rtsp)
    account.accepted(onvif)
    account.refused(onvif)
    expect(shown()).toEqual([true, true])
    account.refused(rtsp)
    expect(shown()).toEqual([false, false])
  })

  it("that was refused for its nonce alone, and then taken, is as good as before", () => {
    const { account, shown } = make()
    for (let request = 0; request < 5; request++) {
      account.refused(rtsp)
      expect(shown()).toEqual([true, true])
      account.accepted(rtsp)
    }
  })
})
