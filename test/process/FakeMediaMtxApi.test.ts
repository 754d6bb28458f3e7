import { FakeMediaMtxApi } from "../support/FakeMediaMtxApi.ts"
import { mediaMtxApiBehaviour } from "../support/MediaMtxApiBehaviour.ts"

mediaMtxApiBehaviour("MediaMTX's API in memory", FakeMediaMtxApi.layer)
