import { allOf, escapeXml, textAt } from "./Xml.ts"
import { most, type OnvifCall, ptzService, tokenParameter } from "./OnvifCalls.ts"

/** What is asked of an ONVIF camera that can be moved (PTZ Service Specification). Pure. */

/** From -1 to 1 each: to the right, upward, inward. */
export interface Velocity {
  readonly pan: number
  readonly tilt: number
  readonly zoom: number
}

/** A position that the camera has kept. */
export interface Preset {
  readonly id: string
  readonly name: string
}

const schema = 'xmlns="http://www.onvif.org/ver10/schema"'

const ptzCall = <A>(name: string, parameters: string, read: OnvifCall<A>["read"]): OnvifCall<A> => ({
  name,
  namespace: ptzService,
  isOpen: false,
  parameters,
  read
})

/** `seconds`: after which the camera stops by itself; undefined: after those that it is set to. */
export const continuousMove = (profile: string, { pan, tilt, zoom }: Velocity, seconds?: number): OnvifCall<true> => {
  const velocity = `<Velocity><PanTilt x="${pan}" y="${tilt}" ${schema}/><Zoom x="${zoom}" ${schema}/></Velocity>`
  const timeout = seconds === undefined ? "" : `<Timeout>PT${seconds}S</Timeout>`
  return ptzCall("ContinuousMove", `${tokenParameter(profile)}${velocity}${timeout}`, () => true)
}

export const stop = (profile: string): OnvifCall<true> =>
  ptzCall("Stop", `${tokenParameter(profile)}<PanTilt>true</PanTilt><Zoom>true</Zoom>`, () => true)

export const getPresets = (profile: string): OnvifCall<ReadonlyArray<Preset>> =>
  ptzCall("GetPresets", tokenParameter(profile), (answer) =>
    allOf(answer, "Preset")
      .slice(0, mostPresets)
      .flatMap((preset) => {
        const id = preset.attributes["token"] ?? ""
        return isWord.test(id) ? [{ id, name: (textAt(preset, "Name") ?? id).slice(0, most) }] : []
      })
  )

/** A token that can be said again (Core, 5.3: 64 characters at most). */
const isWord = /^[^\p{Cc}\p{Cf}]{1,64}$/u
/** Cameras have up to 256, some of them all the time. */
const mostPresets = 256

export const gotoPreset = (profile: string, preset: string): OnvifCall<true> =>
  ptzCall("GotoPreset", `${tokenParameter(profile)}<PresetToken>${escapeXml(preset)}</PresetToken>`, () => true)
