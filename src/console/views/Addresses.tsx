import { useSignal } from "@preact/signals"
import * as Effect from "effect/Effect"
import type { Camera } from "../../../schema/Camera.ts"
import { useConsole } from "../Context.ts"
import { copy } from "../copy.ts"
import { when } from "../format.ts"
import { act } from "../notices.ts"
import { Button } from "../parts/Button.tsx"

interface Key {
  readonly id: string
  readonly until: string
  readonly streams: Camera["streams"]
}

/** Where other players find the camera; with a key in them that opens it alone, where one is made. */
export const Addresses = ({ camera: { device, streams } }: { readonly camera: Camera }) => {
  const { session } = useConsole()
  const key = useSignal<Key | undefined>(undefined)
  const make = () =>
    act(
      session
        .ask((call) => call.create_viewing_key({ device }))
        .pipe(
          Effect.tap(({ expires_at, key_id, streams: opened }) =>
            Effect.sync(() => void (key.value = { id: key_id, until: expires_at, streams: opened }))
          )
        ),
      () => "The addresses have a key in them now: whoever has one sees this camera, for an hour."
    )
  const shown = key.value?.streams ?? streams
  const rows = [
    ["VLC, Home Assistant, OBS (HLS)", shown.hls.replace(/(\/camera\d+)\/?(\?|$)/, "$1/index.m3u8$2")],
    ["ffplay, mpv, GStreamer (RTSP)", shown.rtsp],
    ["A browser (WebRTC)", shown.webrtc.replace(/\/whep(?=\?|$)/, "")],
    ["A page or program (WHEP)", shown.webrtc]
  ] as const
  return (
    <section class="card" aria-labelledby="addressesTitle">
      <h2 id="addressesTitle">Addresses</h2>
      <p class="advice">
        {key.value === undefined
          ? "Players need a key with these."
          : `With a key that opens this camera alone, until ${when(key.value.until, session.serverNow())}.`}
      </p>
      <dl class="addresses">
        {rows.map(([name, address]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{address}</code>
              <Button
                icon="copy"
                label={`Copy the address for ${name}`}
                kind="quiet"
                onPress={() => void copy(address)}
              />
            </dd>
          </div>
        ))}
      </dl>
      <Button icon="key" label="Make a viewing key" onPress={() => void make()}>
        {key.value === undefined ? "Put a key in" : "Make another key"}
      </Button>
    </section>
  )
}
