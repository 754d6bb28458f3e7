import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { keys } from "../../src/config/Keys.ts"
import { configurationOf, load } from "../../src/config/Load.ts"
import { MemoryDisk } from "../../testing/MemoryDisk.ts"

const file = "/etc/camera.yml"
const from = (text: string | undefined, environment: Readonly<Record<string, string>> = {}) =>
  configurationOf(text, { file, environment })

/** What is wrong, a line each. */
const problemsOf = (text: string | undefined, environment: Readonly<Record<string, string>> = {}) =>
  Effect.map(Effect.flip(from(text, environment)), ({ problems }) =>
    problems.map(({ key, place, rule, value }) => [place.replace(file, ""), key, value, rule].join(" "))
  )

/** What is wrong with one value in the file, or in the environment. */
const wrong = [
  // what is said, and the words that have to come up
  ["server: { port: '8002' }", ':1:11 server.port "8002" must be a port, 1 to 65535, without quotes'],
  ["server: { port: 0 }", ":1:11 server.port 0 must be a port, 1 to 65535"],
  ["server:\n  port:", ":2:3 server.port null must be a port, 1 to 65535; without a value the key has to go"],
  ["mediamtx: { managed: 'true' }", 'mediamtx.managed "true" must be true or false, without quotes'],
  ["ffmpeg: { binary: 7 }", "ffmpeg.binary 7 must be a program, in quotes"],
  ["cameras: { include: Logitech* }", 'cameras.include "Logitech*" must be a list of globs, in brackets: [ … ]'],
  ["server: { host: '0.0.0.0:8002' }", 'server.host "0.0.0.0:8002" must be an address or a host name, without a port'],
  ["health: { host: 'http://localhost' }", "health.host"],
  ["mediamtx: { host: '[::1]' }", "mediamtx.host"],
  [
    "server: { allowed_origins: ['*'] }",
    'server.allowed_origins ["*"] must be a list of origins as browsers send them'
  ],
  ["server: { allowed_origins: ['https://a.example/'] }", "(no path, no *)"],
  ["server: { allowed_origins: ['https://a.example/console'] }", "(no path, no *)"],
  ["server: { allowed_origins: ['https://A.example'] }", "server.allowed_origins"],
  ["server: { allowed_origins: ['https://a.example:443'] }", "server.allowed_origins"],
  ["server: { allowed_origins: ['a.example'] }", "server.allowed_origins"],
  ["server: { allowed_origins: ['null'] }", "server.allowed_origins"],
  ["telemetry: { otlp_endpoint: 'localhost:4318' }", "must be an http or https URL, or empty"],
  ["telemetry: { otlp_endpoint: 'http://me:hush@collector' }", '"http://***@collector" must be'],
  ["data_dir: ~/cameras", ':1:1 data_dir "~/cameras" must be a folder, without ~'],
  ["server: { prot: 8002 }", ":1:11 server.prot  there is no such key; meant: server.port?"],
  ["serve: { port: 8002 }", ":1:1 serve  there is no such key; meant: server?"],
  ["server.port: 8002", ":1:1 server.port  there is no such key here: it stands below server:"],
  ["streams: 5", ":1:1 streams  must be a section: keys with their values below it, or nothing"],
  ["- server", "must be keys with their values"],
  ["server: [", "is not YAML"],
  [
    "server: { port: 1, port: 2 }",
    ":1:20   is not YAML that is understood here: this key was there before: put all that is its own under one"
  ],
  ["server: *nowhere", "must be a section"],
  ["server: { port: *nowhere }", ":1:11 server.port  is not YAML that is understood here: an alias leads nowhere"],
  [
    "server: { port: 9000 }\nhealth: { port: 9000 }",
    ":2:11 health.port 9000 must be a port of its own: server.port has"
  ],
  ["mediamtx: { hls_port: 8002 }", ":1:13 mediamtx.hls_port 8002 must be a port of its own: server.port has this one"],
  ["health: { host: 0.0.0.0, port: 9997 }", "mediamtx.api_port 9997 must be a port of its own: health.port has"]
] as const

const right = [
  "",
  "# nothing yet",
  "server:",
  "server:\n  # port: 8002\nhealth: {}",
  "server: { allowed_origins: [] }",
  "server: { allowed_origins: ['https://a.example', 'http://localhost:5173', 'http://[::1]:8080'] }",
  "server: { allowed_origins: ['capacitor://localhost'] }",
  "server: { host: '::' }",
  "server: { host: 'fe80::1%eth0' }",
  "server: { host: camera-7.local }",
  "telemetry: { otlp_endpoint: 'https://collector.example:4318/otlp/v1/traces' }",
  "data_dir: /srv/cameras",
  // not the same address, or another's MediaMTX
  "server: { host: 10.0.0.1, port: 9000 }\nhealth: { port: 9000 }",
  "mediamtx: { managed: false, hls_port: 8002 }",
  "server: &s { host: 127.0.0.1 }\nhealth: *s"
]

describe("a configuration", () => {
  it.effect("is one record to the operator: each section's keys, fixed or not, stand together", () =>
    Effect.gen(function* () {
      const text = "server: { port: 9000, max_connections: 5 }\nstreams: { stall_seconds: 4 }\n"
      const { boot, live, report } = yield* from(text, { CAMERA_SERVICE_SERVER_PORT: "9001" })
      assert.strictEqual(boot.server.port, 9001)
      assert.strictEqual(live.server.max_connections, 5)
      assert.strictEqual(Duration.toSeconds(live.streams.stall_seconds), 4)
      const told = (key: string) => report.find((one) => one.key === key)
      assert.deepInclude(told("server.port"), { value: 9001, source: "environment", changes: "at the start" })
      assert.deepInclude(told("server.max_connections"), { value: 5, source: "file", changes: "while it runs" })
      assert.deepInclude(told("streams.stall_seconds"), { value: 4, source: "file", changes: "while it runs" })
      assert.deepInclude(told("data_dir"), { value: "", source: "default", changes: "at the start" })
      const sections = keys.map(({ key }) => key.split(".")[0])
      const begun = sections.filter((section, at) => section !== sections[at - 1])
      assert.deepStrictEqual(begun, [...new Set(sections)])
    })
  )

  for (const [text, words] of wrong) {
    it.effect(`with ${JSON.stringify(text)} is refused: ${words}`, () =>
      Effect.gen(function* () {
        const problems = yield* problemsOf(text)
        assert.lengthOf(problems, 1)
        assert.include(problems[0], words)
      })
    )
  }

  for (const text of right) {
    it.effect(`with ${JSON.stringify(text)} is taken`, () => from(text))
  }

  it.effect("is refused with all that is wrong at once, of the file and of the environment, each with its place", () =>
    Effect.gen(function* () {
      const text = "server:\n  prot: 9000\ncodec:\n  profile: h265\n  bitrate_kbps: 9\n"
      const environment = {
        CAMERA_SERVICE_HEALTH_PORT: "zero",
        CAMERA_SERVICE_TELEMETRY_OTLP_ENDPOINT: "localhost:4318"
      }
      const error = yield* Effect.flip(from(text, environment))
      assert.deepStrictEqual(error.message.split("\n"), [
        "the configuration is refused:",
        "  /etc/camera.yml:2:3: server.prot: there is no such key; meant: server.port?",
        '  /etc/camera.yml:4:3: codec.profile: "h265": must be stanag4406 or none',
        "  /etc/camera.yml:5:3: codec.bitrate_kbps: 9: must be 64 to 50000",
        '  CAMERA_SERVICE_HEALTH_PORT: health.port: "zero": must be a port, 1 to 65535',
        '  CAMERA_SERVICE_TELEMETRY_OTLP_ENDPOINT: telemetry.otlp_endpoint: "localhost:4318": ' +
          "must be an http or https URL, or empty"
      ])
    })
  )

  it.effect("shows no secret when it is refused, wherever the secret stands", () =>
    Effect.gen(function* () {
      const canary = "hush-hush-hush"
      const texts = [
        `auth: { jwt_secret: ${canary} }`,
        `auth: { jwt_secert: ${canary} }`,
        `auth: ${canary}`,
        `auth: *${canary}`,
        `auth: { jwt_secret: *${canary} }`,
        `auth: !${canary} {}`,
        `auth: { jwt_secret: "${canary} }`,
        `auth:\n  jwt_secret: x\n ${canary}`,
        `jwt_secret: ${canary}`,
        canary
      ]
      for (const text of texts) assert.notInclude((yield* Effect.flip(from(text))).message, canary, text)
      const environment = { CAMERA_SERVICE_AUTH_JWT_SECRET: canary }
      assert.notInclude((yield* Effect.flip(from(undefined, environment))).message, canary)
    })
  )

  it.effect("warns of a variable that is no key, with the one that is nearest, and never shows its value", () =>
    Effect.gen(function* () {
      const { warnings } = yield* from(undefined, {
        CAMERA_SERVICE_HOST: "10.0.0.7",
        CAMERA_SERVICE_AUTH_JWT_SECERT: "hush",
        CAMERA_SERVICE_CONFIG: "/etc/camera.yml",
        CAMERA_PORT: "tcp://10.0.0.7:8002"
      })
      assert.deepStrictEqual(warnings, [
        "CAMERA_SERVICE_HOST is no key of the configuration and changes nothing",
        "CAMERA_SERVICE_AUTH_JWT_SECERT is no key of the configuration and changes nothing; " +
          "meant: CAMERA_SERVICE_AUTH_JWT_SECRET?"
      ])
    })
  )

  it.effect("of a file that is not there is refused, and the file is named", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(load({ file: "/nowhere.yml", environment: {} }))
      assert.include(error.message, "/nowhere.yml: cannot be read (ENOENT)")
    }).pipe(Effect.provide(MemoryDisk.layer))
  )
})
