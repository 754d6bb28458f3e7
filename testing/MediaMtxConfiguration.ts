import * as Schema from "effect/Schema"

const JsonObject = Schema.Record(Schema.String, Schema.Json)

/** What we read of our own configuration file (JSON, which is YAML). */
const Configuration = Schema.fromJsonString(
  Schema.StructWithRest(
    Schema.Struct({
      apiAddress: Schema.String,
      rtspAddress: Schema.String,
      hlsAddress: Schema.String,
      webrtcAddress: Schema.String,
      playbackAddress: Schema.String,
      authHTTPAddress: Schema.String,
      pathDefaults: JsonObject
    }),
    [JsonObject]
  )
)
export const decodeConfiguration = Schema.decodeUnknownEffect(Configuration)
