import * as Schema from "effect/Schema"
import { type ChildExit, describeExit } from "./Child.ts"

/** FFmpeg or ffprobe ended with an error, or took too long. `detail` is its own words, credentials masked. */
export class FfmpegFailed extends Schema.TaggedError<FfmpegFailed>()("FfmpegFailed", {
  detail: Schema.String,
  exitCode: Schema.optionalKey(Schema.Int),
  cause: Schema.optionalKey(Schema.Defect())
}) {}

export const failedBy = (program: string, exit: ChildExit): FfmpegFailed =>
  new FfmpegFailed({
    detail: describeExit(program, exit),
    ...(exit.code === undefined ? {} : { exitCode: exit.code })
  })
