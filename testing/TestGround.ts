import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Cameras } from "./Cameras.ts"
import * as Chance from "./Chance.ts"
import { PlayedFfmpeg } from "./Ffmpeg.ts"
import { PlayedMediaMtx } from "./MediaMtx.ts"
import { MemoryDatabases } from "./MemoryDatabases.ts"
import { MemoryDisk } from "./MemoryDisk.ts"
import * as MemoryNetwork from "./MemoryNetwork.ts"
import { MemoryResolver } from "./MemoryResolver.ts"
import { Neighbours } from "./Neighbours.ts"
import { Programs } from "./Programs.ts"
import { Peers } from "./MemoryTcp.ts"
import { OtherThreads } from "./OtherThreads.ts"
import * as QuietMachine from "./QuietMachine.ts"
import { RtspCameras } from "./RtspCamera.ts"
import { Visitors } from "./Visitors.ts"

/**
 * What a test does to the ground, and sees of it. The ground stands in memory, on the clock that it is built with: an
 * Effect test's stands still until it is moved (`TestClock.adjust`).
 */
export class TestGround extends Context.Service<
  TestGround,
  {
    /** V4L2 cameras: plugged in and out, hung, busy, forbidden */
    readonly cameras: Cameras["Service"]
    /** every program that was started */
    readonly programs: Programs["Service"]
    /** what FFmpeg makes of each camera, and of files and pictures */
    readonly ffmpeg: PlayedFfmpeg["Service"]
    /** MediaMTX: crashed, hung, out of order, changed by hand */
    readonly mediaMtx: PlayedMediaMtx["Service"]
    /** the disk, and what it suffers from */
    readonly disk: MemoryDisk["Service"]
    readonly databases: MemoryDatabases["Service"]
    /** names of the network, and this machine's addresses */
    readonly names: MemoryResolver["Service"]
    /** who comes with HTTP requests and WebSockets */
    readonly visitors: Visitors["Service"]
    /** cameras in the network: what they want, and what is wrong with them */
    readonly rtspCameras: RtspCameras["Service"]
    /** other servers of the network, and addresses where nobody answers */
    readonly peers: Peers["Service"]
    /** who else is in the network: who hears what is sent to all, and web servers */
    readonly neighbours: Neighbours["Service"]
  }
>()("camera-service/testing/TestGround") {
  /** The whole ground, as `src/ground/Ground.ts` gives the real one, and who steers it. */
  static readonly layer = Layer.effect(
    TestGround,
    Effect.all({
      cameras: Cameras,
      programs: Programs,
      ffmpeg: PlayedFfmpeg,
      mediaMtx: PlayedMediaMtx,
      disk: MemoryDisk,
      databases: MemoryDatabases,
      neighbours: Neighbours,
      names: MemoryResolver,
      visitors: Visitors,
      rtspCameras: RtspCameras,
      peers: Peers
    })
  ).pipe(
    Layer.provide(PlayedFfmpeg.layer),
    Layer.provide([PlayedMediaMtx.layer, RtspCameras.layer]),
    Layer.provideMerge(
      Layer.mergeAll(
        Programs.layer,
        MemoryDisk.layer,
        MemoryDatabases.layer,
        Cameras.layer,
        MemoryNetwork.layer,
        MemoryResolver.layer,
        Peers.layer,
        QuietMachine.layer,
        OtherThreads.layer,
        Chance.layer
      )
    )
  )
}
