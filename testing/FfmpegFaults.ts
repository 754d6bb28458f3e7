/** What goes wrong with a piece of work: the error that it ends with, or that it comes to no end. */
export type WorkFault = { readonly error: string } | "hangs"

/** What goes wrong with the FFmpegs that read a camera. */
export interface CameraFaults {
  /** so many publishers end at once with an error: `complaint`, or one of our own */
  readonly failStarts: number
  readonly complaint: string
  /** publishers start and never reach MediaMTX */
  readonly neverReady: boolean
  /** publishers write no picture */
  readonly noPictures: boolean
  /** so many milliseconds from the first one the pictures of a start are dark */
  readonly darkMillis: number
  /** what starts from now on ignores SIGTERM */
  readonly stubborn: boolean
  /** the camera is open and delivers nothing any more */
  readonly frozen: boolean
  /** what becomes of pictures that are taken without MediaMTX */
  readonly direct: WorkFault | undefined
  /** of the H.264 that is published: base64; undefined: it is told by keyframes alone */
  readonly sps: string | undefined
}

/** As x264 writes it: 640 × 480, constrained baseline 3.0. */
export const conformantSps = "Z0LAHtoCgPbARAAAAwAEAAADAPI8WLqA"

export const sound: CameraFaults = {
  failStarts: 0,
  complaint: "the camera is broken",
  neverReady: false,
  noPictures: false,
  darkMillis: 0,
  stubborn: false,
  frozen: false,
  direct: undefined,
  sps: conformantSps
}

/** What goes wrong with the rest of FFmpeg's work. */
export interface WorkFaults {
  readonly convert?: WorkFault | undefined
  /** "writes nothing": what the real one makes of a full disk, with status 0 */
  readonly remux?: WorkFault | "writes nothing" | undefined
  readonly probe?: WorkFault | undefined
  /** after its first bytes; "pours": it writes on for ever */
  readonly export?: WorkFault | "pours" | undefined
  /** an encoder of the hardware's passes its trial, and after it fails with every camera or with none; undefined: there is none */
  readonly hardware?: "works" | "fails"
}
