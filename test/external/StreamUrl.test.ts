import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseStreamUrl, requestUri, typeFor } from "../../src/external/StreamUrl.ts"

const parsed = (text: string) => Result.getOrThrow(parseStreamUrl(text))
const rule = (text: string) => Result.getOrUndefined(Result.flip(parseStreamUrl(text)))?.rule

describe("a stream's URL", () => {
  it.each([
    ["rtsp://192.168.42.10:5554/subject", "rtsp://192.168.42.10:5554/subject"],
    ["RTSP://Cam.Example:554/Live", "rtsp://cam.example/Live"],
    ["rtsp://cam.example./live", "rtsp://cam.example/live"],
    ["rtsp://cam.example", "rtsp://cam.example"],
    ["rtsps://cam.example:322/live", "rtsps://cam.example/live"],
    ["rtsp://cam.example:80/live", "rtsp://cam.example:80/live"],
    ["http://cam.example:80/onvif/device_service", "http://cam.example/onvif/device_service"],
    ["https://cam.example:443/", "https://cam.example/"],
    ["rtsp://[FD00:0:0::1]:8554/a", "rtsp://[fd00::1]:8554/a"],
    // all of them 127.0.0.1, which is judged by the address it stands for
    ["rtsp://0177.0.0.1/a", "rtsp://127.0.0.1/a"],
    ["rtsp://0x7f.1/a", "rtsp://127.0.0.1/a"],
    ["rtsp://2130706433/a", "rtsp://127.0.0.1/a"],
    ["rtsp://127.1/a", "rtsp://127.0.0.1/a"],
    ["rtsp://127.0.0.1./a", "rtsp://127.0.0.1/a"],
    ["rtsp://%31%32%37.0.0.1/a", "rtsp://127.0.0.1/a"],
    ["rtsp://[::ffff:192.168.1.64]/a", "rtsp://192.168.1.64/a"],
    ["rtsp://cam/a/../b?channel=1&subtype=2", "rtsp://cam/b?channel=1&subtype=2"]
  ])("%s is %s", (given, text) => {
    expect(parsed(given).text).toBe(text)
    expect(requestUri(parsed(given))).toBe(text)
  })

  it.each([
    ["rtsp://admin:secret@cam/live", "rtsp://cam/live", { user: "admin", password: "secret" }],
    ["rtsp://admin@cam/live", "rtsp://cam/live", { user: "admin", password: "" }],
    ["rtsp://admin:p%40s%2Fs%23%25@cam/live", "rtsp://cam/live", { user: "admin", password: "p@s/s#%" }],
    ["rtsp://admin:p@ss@cam/live", "rtsp://cam/live", { user: "admin", password: "p@ss" }]
  ])("%s has its credentials apart", (given, text, credentials) => {
    const url = parsed(given)
    expect(url.text).toBe(text)
    expect(Redacted.value(url.secret)).toEqual({ credentials })
    expect(requestUri(url)).toBe(text)
  })

  it.each([
    [
      "/user=admin_password=tlJ_wpbo6_channel=1_stream=0.sdp?real_stream",
      "/user=***_password=***_channel=1_stream=0.sdp?real_stream"
    ],
    ["/live?channel=1&user=admin&pwd=geheim&subtype=0", "/live?channel=1&user=***&pwd=***&subtype=0"],
    ["/live?token=geheim", "/live?token=***"],
    ["/live?authbasic=YWRtaW46Z2VoZWlt", "/live?authbasic=***"],
    ["/live?loginuse=admin&loginpas=geheim", "/live?loginuse=***&loginpas=***"],
    ["/live?apikey=geheim&key=geheim;secret=geheim", "/live?apikey=***&key=***;secret=***"],
    ["/live?jwt=ey.J0.x-_&sig=geheim", "/live?jwt=***&sig=***"],
    ["/live?u=admin&p=geheim&Channel=1", "/live?u=***&p=***&Channel=1"],
    ["/live?pw=geheim?channel=2", "/live?pw=***?channel=2"],
    ["/live?p%61ss=geheim", "/live?***"],
    ["/live?YWRtaW46Z2VoZWlt", "/live?***"],
    ["/live?YWRtaW46Z2VoZWltIQ==&tcp", "/live?***&tcp"],
    ["/live?channel=1/user=geheim", "/live?channel=***"],
    ["/live?channel=1_user=geheim", "/live?channel=***"],
    ["/live?resolution=1280x720&fps=25&codec=h264&proto=Onvif&profile=Profile_1", undefined],
    ["/cam/realmonitor?channel=1&subtype=0&unicast=true&transportmode=unicast", undefined],
    ["/live/pw=geheim/ch1", "/live/pw=***/ch1"],
    ["/live;channel=1;key=geheim", "/live;channel=1;key=***"],
    ["/user:geheim@live/ch1", "/***/ch1"],
    ["/0/admin:geheim/main", "/0/***/main"],
    ["/admin:ge/hei@m/main", "/***/main"],
    ["/admin%3Ageheim%40live", "/***"],
    ["/token@live", "/***"],
    ["/user%3Dadmin_password%3Dgeheim/ch1", "/***/ch1"],
    ["/live?id=admin&pw=geheim", "/live?id=***&pw=***"],
    ["/live?id=12", undefined],
    ["/h264Preview_01_main", undefined],
    ["/Streaming/Channels/101", undefined],
    ["/live?password=", "/live?***"],
    ["?key=geheim", "?key=***"],
    ["/password=ge$heim_user=", "/password=***_***"]
  ])("%s shows no secrets, and asks the camera for them", (resource, shown) => {
    const url = parsed(`rtsp://cam${resource}`)
    expect(url.text).toBe(`rtsp://cam${shown ?? resource}`)
    expect(parsed(url.text).text).toBe(url.text)
    expect(requestUri(url)).toBe(`rtsp://cam${resource}`)
  })

  it.each([
    "",
    "cam",
    "file:///etc/passwd",
    "rtmp://cam/live",
    "srt://cam:9000",
    "rtspu://cam/live",
    "rtsp:cam/live",
    "rtsp:///live",
    "rtsp://:554/live",
    "rtsp://cam:0/live",
    "rtsp://cam:65536/live",
    "rtsp://cam:99x/live",
    "rtsp://[fe80::1%25eth0]/live",
    "rtsp://999.1.1.1/live",
    "rtsp://ca m/live",
    "rtsp://cam\\@evil/live",
    "rtsp://cam/live\n",
    "rtsp://cam/\u0000",
    "rtsp://cam/ü",
    "rtsp://cam$(reboot)/live",
    "rtsp://admin:pa#ss@cam/live",
    "rtsp://admin:%zz@cam/live",
    "rtsp://-rtsp_transport/live"
  ])("%j is none", (given) => expect(rule(given)).toBeTypeOf("string"))

  it("is read without harm, whatever it is; and what is shown of it means the same again", () => {
    const pieces = fc.constantFrom(
      "rtsp://",
      "http://",
      "@",
      ":",
      "/",
      "[",
      "]",
      "%",
      "?",
      "user=",
      "password=",
      "?",
      "&",
      "_",
      "channel=",
      "%40",
      "***",
      "0x7f",
      ".."
    )
    const some = fc
      .array(fc.oneof(pieces, fc.string({ maxLength: 8 })), { maxLength: 12 })
      .map((parts) => parts.join(""))
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          some,
          some.map((text) => `rtsp://${text}`),
          fc.webUrl()
        ),
        (given) => {
          const url = Result.getOrUndefined(parseStreamUrl(given))
          fc.pre(url !== undefined)
          expect(parsed(url.text).text).toBe(url.text)
          expect(parsed(requestUri(url)).text).toBe(url.text)
          expect(url.port > 0 && url.port < 65_536).toBe(true)
        }
      ),
      { numRuns: 4000 }
    )
  })

  it("shows no password, and has it as it was given, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", minLength: 4 }),
        fc.string({ unit: "binary", minLength: 4 }),
        (user, password) => {
          const text = `rtsp://${encodeURIComponent(user)}:${encodeURIComponent(password)}@camera.example/live`
          const url = parsed(text)
          expect(url.text).toBe("rtsp://camera.example/live")
          expect(Redacted.value(url.secret).credentials).toEqual({ user, password })
          expect(JSON.stringify(url)).not.toContain(JSON.stringify(password).slice(1, -1))
        }
      )
    )
  })

  it("shows no value of its query but of what holds no secret", () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9%40:/_.=-]{0,8}GEHEIM[A-Za-z0-9:/_.=-]{0,8}$/)
    fc.assert(
      fc.property(
        fc.stringMatching(/^z[a-z]{0,7}$/),
        secret,
        fc.constantFrom("&", ";", "?"),
        (name, value, between) => {
          const text = `rtsp://cam/live?channel=1${between}${name}=${value.replaceAll("%", "%25")}`
          const url = Result.getOrThrow(parseStreamUrl(text))
          expect(url.text).toBe(`rtsp://cam/live?channel=1${between}${name}=***`)
          expect(requestUri(url)).toBe(text)
        }
      )
    )
  })

  it("is told what is wrong with it without a word of it", () => {
    for (const given of [
      "rtsp://admin:geheim@ca m/",
      "rtsp://admin:gehe#im@cam",
      "ftp://admin:geheim@cam",
      "rtsp://admin:geheim%zz@cam"
    ]) {
      expect(JSON.stringify(Result.getOrThrow(Result.flip(parseStreamUrl(given))))).not.toMatch(/gehe/)
    }
  })
})

describe("a stream's type", () => {
  it("follows from the scheme, where nobody names one that goes with it", () => {
    const type = (text: string, named?: "onvif" | "generic_rtsp") => Result.getOrUndefined(typeFor(parsed(text), named))
    expect(type("rtsp://cam/live")).toBe("generic_rtsp")
    expect(type("rtsps://cam/live", "onvif")).toBe("onvif")
    expect(type("http://cam/onvif/device_service")).toBe("onvif")
    expect(type("https://cam/live", "generic_rtsp")).toBeUndefined()
  })
})
