/** What is wrong with a camera in the network; a test sets it, and may wait for it. */
export interface RtspFaults {
  /** it wants these credentials, as Digest of this algorithm, or Basic */
  readonly login: Login | undefined
  /** it wants another nonce for every request: with `stale`, or, as some cameras do, without saying so */
  readonly nonces: "kept" | "stale" | "changed"
  /** it answers this method with this status */
  readonly refuses: Readonly<Record<string, string>>
  /** it takes connections and says nothing */
  readonly isSilent: boolean
  /** frames from one keyframe to the next */
  readonly keyframeEvery: number
  /** it begins to play with so many pictures that are none */
  readonly beginsBefore: number
  /** two of three pictures that are no keyframes are B-frames */
  readonly bFrames: boolean
  /** it says that it plays, and sends nothing */
  readonly neverPlays: boolean
  /** it sends nothing any more, and keeps the connection */
  readonly isStalled: boolean
  /** it asks a thousand times with each picture */
  readonly asksOften: boolean
  /** it asks with each picture what makes long answers, and reads nothing */
  readonly isDeaf: boolean
  /** so many more packets of 64 kB come with each picture */
  readonly ballast: number
  /** what it tells beside the picture of this number (KLV): units, one after the other */
  readonly tells: (picture: number) => ReadonlyArray<Uint8Array>
  /** 2 MB of metadata that have no end come with each picture */
  readonly endlessKlv: boolean
  /** it ends a session that it has heard no receiver report of for 15 s, and sends reports itself, each second */
  readonly wantsReports: boolean
  /** what is no RTCP comes on the channels of that, with each picture */
  readonly wrongReports: boolean
  /** it hangs up in the middle of a frame, with the next picture */
  readonly diesInMidFrame: boolean
  /** it tells no Content-Base */
  readonly noContentBase: boolean
  /** instead of its own description */
  readonly sdp: string | undefined
}

export interface Login {
  readonly user: string
  readonly password: string
  readonly way: "Basic" | "MD5" | "MD5-sess" | "SHA-256"
}

export const sound: RtspFaults = {
  login: undefined,
  nonces: "kept",
  refuses: {},
  isSilent: false,
  keyframeEvery: 10,
  beginsBefore: 0,
  bFrames: false,
  neverPlays: false,
  isStalled: false,
  asksOften: false,
  isDeaf: false,
  ballast: 0,
  tells: () => [],
  endlessKlv: false,
  wantsReports: false,
  wrongReports: false,
  diesInMidFrame: false,
  noContentBase: false,
  sdp: undefined
}
