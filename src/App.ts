import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ApiKeys } from "./auth/ApiKeys.ts"
import { Credentials } from "./auth/Credentials.ts"
import { FailedLogins } from "./auth/FailedLogins.ts"
import { MediaMtxSessions } from "./auth/MediaMtxSessions.ts"
import { SignedUrls } from "./auth/SignedUrls.ts"
import { Tickets } from "./auth/Tickets.ts"
import { Tokens } from "./auth/Tokens.ts"
import { Certificate } from "./config/Certificate.ts"
import { CameraControls } from "./device/CameraControls.ts"
import { CameraNames } from "./device/CameraNames.ts"
import { Devices } from "./device/Devices.ts"
import * as SyntheticCameras from "./device/SyntheticCameras.ts"
import { Holders } from "./device/v4l2/Holders.ts"
import { Kernel } from "./device/v4l2/Kernel.ts"
import * as V4l2Cameras from "./device/v4l2/V4l2Cameras.ts"
import { V4l2Controls } from "./device/v4l2/V4l2Controls.ts"
import { RunningChecks } from "./doctor/RunningChecks.ts"
import { Events } from "./events/Events.ts"
import { CameraKeyframes } from "./external/CameraKeyframes.ts"
import { CameraPictures } from "./external/CameraPictures.ts"
import { Discovery } from "./external/Discovery.ts"
import { DiscoveryInterval } from "./external/DiscoveryInterval.ts"
import { ExternalStreams } from "./external/ExternalStreams.ts"
import { NetworkCameras } from "./external/NetworkCameras.ts"
import { OnvifClient } from "./external/onvif/OnvifClient.ts"
import { WsDiscovery } from "./external/onvif/WsDiscovery.ts"
import { OnvifCameras } from "./external/OnvifCameras.ts"
import { Ptz } from "./external/Ptz.ts"
import { Reach } from "./external/Reach.ts"
import { Scan } from "./external/Scan.ts"
import { StreamTargets } from "./external/StreamTargets.ts"
import { Health } from "./health/Health.ts"
import { ProgramMemory } from "./health/ProgramMemory.ts"
import * as ConsoleFiles from "./http/ConsoleFiles.ts"
import * as Downloads from "./http/Downloads.ts"
import * as Exporting from "./http/Exporting.ts"
import * as HealthPort from "./http/HealthPort.ts"
import * as Hls from "./http/Hls.ts"
import { LocalHttp } from "./http/LocalHttp.ts"
import * as MediaMtxAuth from "./http/MediaMtxAuth.ts"
import * as MetricsPort from "./http/MetricsPort.ts"
import { PublicHttp } from "./http/PublicHttp.ts"
import * as ThumbnailPictures from "./http/ThumbnailPictures.ts"
import { VisitLimits } from "./http/VisitLimits.ts"
import * as Whep from "./http/Whep.ts"
import * as FactMetrics from "./metrics/FactMetrics.ts"
import * as Gauges from "./metrics/Gauges.ts"
import { Ffmpeg } from "./process/Ffmpeg.ts"
import { MediaMtx } from "./process/MediaMtx.ts"
import { MediaMtxApi } from "./process/MediaMtxApi.ts"
import { MediaMtxCertificate } from "./process/MediaMtxCertificate.ts"
import { MediaMtxKey } from "./process/MediaMtxKey.ts"
import { CameraWatch } from "./recording/CameraWatch.ts"
import * as EndReasons from "./recording/EndReasons.ts"
import { Exports } from "./recording/Exports.ts"
import * as GoingOn from "./recording/GoingOn.ts"
import * as Leftovers from "./recording/Leftovers.ts"
import { NewFiles } from "./recording/NewFiles.ts"
import { RecordedTelemetry } from "./recording/RecordedTelemetry.ts"
import { Recorder } from "./recording/Recorder.ts"
import { Recordings } from "./recording/Recordings.ts"
import { Segments } from "./recording/Segments.ts"
import { Thumbnails } from "./recording/Thumbnails.ts"
import { Unfinished } from "./recording/Unfinished.ts"
import * as Authorization from "./rpc/Authorization.ts"
import { Connections } from "./rpc/Connections.ts"
import * as Handlers from "./rpc/Handlers.ts"
import * as Notifications from "./rpc/Notifications.ts"
import { JsonRpcProtocol } from "./rpc/Protocol.ts"
import { RequestLimits } from "./rpc/RequestLimits.ts"
import * as Serving from "./rpc/Serving.ts"
import * as Validation from "./rpc/Validation.ts"
import * as WebSocketServer from "./rpc/WebSocketServer.ts"
import { EventLoop } from "./self/EventLoop.ts"
import * as Memory from "./self/Memory.ts"
import * as Served from "./self/Served.ts"
import { ActivatedCapture } from "./snapshot/ActivatedCapture.ts"
import { AddressCapture } from "./snapshot/AddressCapture.ts"
import { DirectCapture } from "./snapshot/DirectCapture.ts"
import { LiveCapture } from "./snapshot/LiveCapture.ts"
import { Snapshots } from "./snapshot/Snapshots.ts"
import { DataFolder } from "./storage/DataFolder.ts"
import { DescribeRecording } from "./storage/DescribeRecording.ts"
import { DiskGuard } from "./storage/DiskGuard.ts"
import { FileIndex } from "./storage/FileIndex.ts"
import { Files } from "./storage/Files.ts"
import { Holds } from "./storage/Holds.ts"
import { RecordingParts } from "./storage/RecordingParts.ts"
import { Retention } from "./storage/Retention.ts"
import { RetentionPolicies } from "./storage/RetentionPolicies.ts"
import { SmallFiles } from "./storage/SmallFiles.ts"
import { StorageUsage } from "./storage/StorageUsage.ts"
import { Timeline } from "./storage/Timeline.ts"
import { CameraHealth } from "./stream/CameraHealth.ts"
import { CameraTelemetry } from "./stream/CameraTelemetry.ts"
import { Dismissals } from "./stream/Dismissals.ts"
import { Encoders } from "./stream/Encoders.ts"
import { Feeds } from "./stream/Feeds.ts"
import { KeyframeRequests } from "./stream/KeyframeRequests.ts"
import { KeyframeStills } from "./stream/KeyframeStills.ts"
import { PathRecorders } from "./stream/PathRecorders.ts"
import { Paths } from "./stream/Paths.ts"
import { PathTable } from "./stream/PathTable.ts"
import { PublishedFeed } from "./stream/PublishedFeed.ts"
import { Publisher } from "./stream/Publisher.ts"
import { RelayedFeed } from "./stream/RelayedFeed.ts"
import { Sources } from "./stream/Sources.ts"
import { Status } from "./stream/Status.ts"
import { Streams } from "./stream/Streams.ts"
import { Supervision } from "./stream/Supervision.ts"
import { TranscodedFeed } from "./stream/TranscodedFeed.ts"
import { Viewers } from "./stream/Viewers.ts"
import * as Metrics from "./telemetry/Metrics.ts"

/*
 * The floor plan, from the ground up. Each storey is given the ones below it, and all of it stands on `Settings` and the
 * ground: this machine's is `ground/Ground.ts`, a played one for tests is in `testing/`.
 */

/** An index that is built anew looks into recordings with ffprobe. */
const describeRecording = Layer.effect(
  DescribeRecording,
  Effect.map(Ffmpeg, ({ probe }) => probe)
)

const storage = Layer.mergeAll(Retention.layer, StorageUsage.layer, Timeline.layer, RecordingParts.layer).pipe(
  Layer.provide(RetentionPolicies.layer),
  Layer.provideMerge(Files.layer),
  Layer.provideMerge(Layer.merge(FileIndex.layer, DiskGuard.layer)),
  Layer.provideMerge(Holds.layer),
  Layer.provide(describeRecording)
)

const controls = CameraControls.layer.pipe(Layer.provide(V4l2Controls.layer), Layer.provide(Kernel.layer))

const devices = Layer.mergeAll(SyntheticCameras.layer, V4l2Cameras.layer, controls).pipe(
  Layer.provideMerge(Devices.layer),
  Layer.provideMerge(CameraNames.layer)
)

const streams = Layer.mergeAll(Viewers.layer, Status.layer).pipe(
  Layer.provideMerge(Streams.layer),
  Layer.provide(Supervision.layer.pipe(Layer.provide(TranscodedFeed.layer))),
  Layer.provideMerge(Feeds.layer.pipe(Layer.provide([PublishedFeed.layer, RelayedFeed.layer]))),
  Layer.provide([CameraHealth.layer, Publisher.layer]),
  Layer.provideMerge(Layer.merge(CameraTelemetry.layer, KeyframeStills.layer)),
  Layer.provideMerge(Sources.layer.pipe(Layer.provideMerge(Encoders.layer))),
  Layer.provideMerge(
    Layer.mergeAll(Paths.layer, PathRecorders.layer, Dismissals.layer).pipe(Layer.provide(PathTable.layer))
  ),
  Layer.provideMerge(KeyframeRequests.layer),
  Layer.provideMerge(Holders.layer)
)

const snapshots = Snapshots.layer.pipe(
  Layer.provide([LiveCapture.layer, AddressCapture.layer, ActivatedCapture.layer, DirectCapture.layer])
)

const recordings = Layer.mergeAll(EndReasons.layer, GoingOn.layer, Leftovers.layer, RecordedTelemetry.layer).pipe(
  Layer.provideMerge(Recordings.layer.pipe(Layer.provide(Recorder.layer))),
  Layer.provide([CameraWatch.layer, NewFiles.layer, Segments.layer, Unfinished.layer])
)

const external = Layer.merge(Discovery.layer, Ptz.layer).pipe(
  Layer.provide([Scan.layer, OnvifCameras.layer.pipe(Layer.provide(WsDiscovery.layer))]),
  Layer.provideMerge(Layer.merge(ExternalStreams.layer, DiscoveryInterval.layer)),
  Layer.provide(
    NetworkCameras.layer.pipe(Layer.provide([StreamTargets.layer, CameraPictures.layer, CameraKeyframes.layer]))
  ),
  Layer.provide(OnvifClient.layer),
  Layer.provide(Reach.layer)
)

/** Tokens, keys and signed URLs, and what they let their bearers do. */
export const logins = Layer.merge(
  FailedLogins.layer,
  Credentials.layer.pipe(
    Layer.provideMerge(SignedUrls.layer),
    Layer.provideMerge(ApiKeys.layer),
    Layer.provideMerge(Tokens.layer)
  )
)

const auth = Layer.mergeAll(Tickets.layer, MediaMtxSessions.layer, logins)

const events = Events.layer.pipe(Layer.provideMerge(Layer.merge(Health.layer, ProgramMemory.layer)))

const metrics = Layer.mergeAll(FactMetrics.layer, Gauges.layer).pipe(Layer.provide(EventLoop.layer))

/** JSON-RPC over WebSockets, over these handlers. */
export const wire = <Methods, Failure, Below>(handlers: Layer.Layer<Methods, Failure, Below>) =>
  WebSocketServer.layer.pipe(
    Layer.provideMerge(JsonRpcProtocol.layer),
    Layer.provide([handlers, Authorization.layer, Validation.layer, RequestLimits.layer])
  )

const rpc = Layer.merge(wire(Handlers.layer), Notifications.layer).pipe(Layer.provide(Connections.layer))

const http = Layer.mergeAll(
  ConsoleFiles.layer,
  Downloads.layer,
  Exporting.layer,
  ThumbnailPictures.layer,
  Whep.layer,
  Hls.layer,
  HealthPort.layer.pipe(Layer.provide(RunningChecks.layer)),
  MetricsPort.layer
).pipe(Layer.provide([VisitLimits.layer, Exports.layer, Thumbnails.layer]))

/** The whole service, and its nouns for who has it in the same process: its start, its end, and the tests. */
export const layer = Serving.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(rpc, http, metrics, Memory.layer)),
  // who came sooner would only be sent away, and make the others wait
  Layer.provideMerge(PublicHttp.layer),
  Layer.provideMerge(events),
  Layer.provideMerge(external),
  Layer.provideMerge(Layer.merge(snapshots, recordings)),
  // MediaMTX asks us about our own calls too: whoever ends by calling it ends before this
  Layer.provideMerge(MediaMtxAuth.layer),
  Layer.provideMerge(streams),
  Layer.provideMerge(Layer.mergeAll(devices, auth, storage)),
  Layer.provideMerge(
    Layer.merge(MediaMtx.layer, Ffmpeg.layer).pipe(
      Layer.provideMerge(MediaMtxApi.layer),
      Layer.provideMerge(Layer.merge(MediaMtxKey.layer, MediaMtxCertificate.layer))
    )
  ),
  Layer.provideMerge(Layer.merge(DataFolder.layer, LocalHttp.layer)),
  Layer.provideMerge(Certificate.layer),
  Layer.provide(SmallFiles.layer),
  Layer.provideMerge(Layer.merge(Metrics.layer, Served.layer))
)
