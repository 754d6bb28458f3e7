import { allOf, at, type Element, escapeXml, numberAt, textAt } from "./Xml.ts"

/** What is asked of an ONVIF device and what it answers, as values. Pure. */

export interface OnvifCall<A> {
  readonly name: string
  /** of its service */
  readonly namespace: string
  /** every device answers it to anybody (Core, 5.9.4.3, PRE_AUTH) */
  readonly isOpen: boolean
  /** its parameters, as XML */
  readonly parameters: string
  /** what the answer says; undefined where it is not what the specification has */
  readonly read: (answer: Element) => A | undefined
}

export const deviceService = "http://www.onvif.org/ver10/device/wsdl"
export const mediaService = "http://www.onvif.org/ver10/media/wsdl"
export const ptzService = "http://www.onvif.org/ver20/ptz/wsdl"
export const media2Service = "http://www.onvif.org/ver20/media/wsdl"

/** So many of anything are taken from one answer. */
export const most = 64

/** The camera's clock, in epoch milliseconds; it is asked without credentials, which need it (Core, 8.3.5). */
export const getSystemDateAndTime: OnvifCall<number> = {
  name: "GetSystemDateAndTime",
  namespace: deviceService,
  isOpen: true,
  parameters: "",
  read: (answer) => {
    const told = at(answer, "SystemDateAndTime")
    // its time there in place of that in UTC: whoever tells no other checks credentials by no other
    return timeOf(at(told, "UTCDateTime")) ?? timeOf(at(told, "LocalDateTime"))
  }
}

const timeOf = (told: Element | undefined): number | undefined => {
  const [year, month, day] = [
    numberAt(told, "Date", "Year"),
    numberAt(told, "Date", "Month"),
    numberAt(told, "Date", "Day")
  ]
  const [hour, minute, second] = ["Hour", "Minute", "Second"].map((name) => numberAt(told, "Time", name) ?? 0)
  if (year === undefined || month === undefined || day === undefined || year < 1970 || year > 9999) return undefined
  const time = Date.UTC(year, month - 1, day, hour, minute, second)
  // month 999 is years later, and month 999999999 no time at all
  return time >= 0 && time < endOfTime ? time : undefined
}

/** After it a year has more than four digits. */
const endOfTime = Date.UTC(10_000, 0)

export interface DeviceInformation {
  readonly manufacturer: string
  readonly model: string
  readonly firmware: string
  readonly serial: string
}

export const getDeviceInformation: OnvifCall<DeviceInformation> = {
  name: "GetDeviceInformation",
  namespace: deviceService,
  isOpen: false,
  parameters: "",
  read: (answer) => ({
    manufacturer: shortAt(answer, "Manufacturer"),
    model: shortAt(answer, "Model"),
    firmware: shortAt(answer, "FirmwareVersion"),
    serial: shortAt(answer, "SerialNumber")
  })
}

/** What a device calls itself may be long, and part of a camera's name for good. */
const maxWord = 128

const shortAt = (answer: Element, name: string): string => (textAt(answer, name) ?? "").slice(0, maxWord)

/** The addresses of a device's services, by namespace. */
export type Services = ReadonlyMap<string, string>

export const getServices: OnvifCall<Services> = {
  name: "GetServices",
  namespace: deviceService,
  isOpen: true,
  parameters: "<IncludeCapability>false</IncludeCapability>",
  read: (answer) => servicesOf(allOf(answer, "Service").map((one) => [textAt(one, "Namespace"), textAt(one, "XAddr")]))
}

/** The same for devices of before 2011, which know no `GetServices`. */
export const getCapabilities: OnvifCall<Services> = {
  name: "GetCapabilities",
  namespace: deviceService,
  isOpen: true,
  parameters: "<Category>All</Category>",
  read: (answer) =>
    servicesOf([
      [mediaService, textAt(answer, "Capabilities", "Media", "XAddr")],
      [ptzService, textAt(answer, "Capabilities", "PTZ", "XAddr")]
    ])
}

const servicesOf = (told: ReadonlyArray<readonly [string | undefined, string | undefined]>): Services | undefined => {
  const services = new Map<string, string>()
  for (const [namespace, address] of told.slice(0, most)) {
    if (namespace !== undefined && address !== undefined) services.set(namespace, address)
  }
  return services.size === 0 ? undefined : services
}

/** One way in which a camera streams. */
export interface Profile {
  readonly token: string
  readonly name: string
  /** as the device has it: `H264`, `H265`, `JPEG` */
  readonly encoding?: string
  readonly width?: number
  readonly height?: number
  /** frames a second */
  readonly rate?: number
  /** what it shows can be moved */
  readonly hasPtz: boolean
}

/** A media service: that of 2010, or the one of 2016, which alone knows H.265. */
export interface Media {
  readonly getProfiles: OnvifCall<ReadonlyArray<Profile>>
  readonly getStreamUri: (profile: string) => OnvifCall<string>
  readonly getSnapshotUri: (profile: string) => OnvifCall<string>
  /** has it send a keyframe in each stream of the profile */
  readonly setSynchronizationPoint: (profile: string) => OnvifCall<true>
}

export const tokenParameter = (token: string) => `<ProfileToken>${escapeXml(token)}</ProfileToken>`

const synchronize = (namespace: string, profile: string): OnvifCall<true> => ({
  name: "SetSynchronizationPoint",
  namespace,
  isOpen: false,
  parameters: tokenParameter(profile),
  read: () => true
})

export const media: Media = {
  getProfiles: {
    name: "GetProfiles",
    namespace: mediaService,
    isOpen: false,
    parameters: "",
    read: (answer) =>
      profilesIn(answer, (profile) => ({
        encoder: at(profile, "VideoEncoderConfiguration"),
        ptz: at(profile, "PTZConfiguration")
      }))
  },
  getStreamUri: (token) => ({
    name: "GetStreamUri",
    namespace: mediaService,
    isOpen: false,
    parameters: `<StreamSetup><Stream xmlns="http://www.onvif.org/ver10/schema">RTP-Unicast</Stream><Transport xmlns="http://www.onvif.org/ver10/schema"><Protocol>RTSP</Protocol></Transport></StreamSetup>${tokenParameter(token)}`,
    read: (answer) => textAt(answer, "MediaUri", "Uri")
  }),
  getSnapshotUri: (token) => ({
    name: "GetSnapshotUri",
    namespace: mediaService,
    isOpen: false,
    parameters: tokenParameter(token),
    read: (answer) => textAt(answer, "MediaUri", "Uri")
  }),
  setSynchronizationPoint: (token) => synchronize(mediaService, token)
}

export const media2: Media = {
  getProfiles: {
    name: "GetProfiles",
    namespace: media2Service,
    isOpen: false,
    parameters: "<Type>VideoEncoder</Type><Type>PTZ</Type>",
    read: (answer) =>
      profilesIn(answer, (profile) => ({
        encoder: at(profile, "Configurations", "VideoEncoder"),
        ptz: at(profile, "Configurations", "PTZ")
      }))
  },
  getStreamUri: (token) => ({
    name: "GetStreamUri",
    namespace: media2Service,
    isOpen: false,
    parameters: `<Protocol>RTSP</Protocol>${tokenParameter(token)}`,
    read: (answer) => textAt(answer, "Uri")
  }),
  getSnapshotUri: (token) => ({
    name: "GetSnapshotUri",
    namespace: media2Service,
    isOpen: false,
    parameters: tokenParameter(token),
    read: (answer) => textAt(answer, "Uri")
  }),
  setSynchronizationPoint: (token) => synchronize(media2Service, token)
}

interface Configurations {
  readonly encoder: Element | undefined
  readonly ptz: Element | undefined
}

const profilesIn = (answer: Element, configured: (profile: Element) => Configurations): ReadonlyArray<Profile> =>
  allOf(answer, "Profiles")
    .slice(0, most)
    .flatMap((profile) => {
      const token = profile.attributes["token"]
      if (token === undefined || token === "") return []
      const { encoder, ptz } = configured(profile)
      const encoding = textAt(encoder, "Encoding")
      const width = numberAt(encoder, "Resolution", "Width")
      const height = numberAt(encoder, "Resolution", "Height")
      const rate = numberAt(encoder, "RateControl", "FrameRateLimit")
      return [
        {
          token,
          name: textAt(profile, "Name") ?? token,
          hasPtz: ptz !== undefined,
          ...(encoding === undefined ? {} : { encoding }),
          ...(width === undefined || height === undefined ? {} : { width, height }),
          ...(rate === undefined ? {} : { rate })
        }
      ]
    })
