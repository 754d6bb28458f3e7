import * as Schema from "effect/Schema"

/**
 * Every failure a client can be told about. Each has one JSON-RPC code (`errorCodes`), and its fields are the reply's
 * `error.data`; `details`, `reason` and `suggestion` may accompany any of them. `message`, a sentence made of these, is for
 * logs and people, and does not travel.
 */

const more = {
  reason: Schema.optionalKey(Schema.String),
  details: Schema.optionalKey(Schema.String),
  suggestion: Schema.optionalKey(Schema.String)
}

const sentence = (text: string, { suggestion }: { readonly suggestion?: string | undefined }): string =>
  suggestion === undefined ? `${text}.` : `${text}; ${suggestion}.`

/** -32602: a parameter broke a rule. `param` is its path (`filters.device`), `rule` what it must be. */
export class InvalidParams extends Schema.TaggedError<InvalidParams>()("InvalidParams", {
  ...more,
  param: Schema.String,
  rule: Schema.String,
  hint: Schema.String
}) {
  override get message(): string {
    return sentence(`The parameter ${this.param} is not accepted: ${this.rule} (${this.hint})`, this)
  }
}

/** -32001: no, a bad or an expired token or key. `reason` says which, never what was sent. */
export class AuthFailed extends Schema.TaggedError<AuthFailed>()("AuthFailed", {
  ...more,
  reason: Schema.String
}) {
  override get message(): string {
    return sentence(`Not authenticated: ${this.reason}`, this)
  }
}

/** -32002: the role may not call this method. */
export class PermissionDenied extends Schema.TaggedError<PermissionDenied>()("PermissionDenied", {
  ...more,
  required_role: Schema.String,
  have_role: Schema.String
}) {
  override get message(): string {
    return sentence(`This needs the role ${this.required_role}, and the caller has ${this.have_role}`, this)
  }
}

/** -32010: no such camera, control, preset, stream, recording, snapshot or key (or not one this user may see). */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", {
  ...more,
  resource: Schema.Literals(["camera", "control", "stream", "recording", "snapshot", "api_key", "preset"]),
  id: Schema.String
}) {
  override get message(): string {
    return sentence(`There is no ${this.resource} ${this.id}`, this)
  }
}

/** -32020: the thing is there, and not in a state that allows this. */
export class InvalidState extends Schema.TaggedError<InvalidState>()("InvalidState", {
  ...more,
  state: Schema.String,
  allowed_states: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return sentence(`Not possible while it is ${this.state}: it has to be ${this.allowed_states.join(" or ")}`, this)
  }
}

/** -32030: a feature that is switched off, or that this machine lacks. */
export class Unsupported extends Schema.TaggedError<Unsupported>()("Unsupported", {
  ...more,
  feature: Schema.String
}) {
  override get message(): string {
    const why = this.reason === undefined ? "" : `: ${this.reason}`
    return sentence(`${this.feature} is not supported here${why}`, this)
  }
}

/** -32040: too many requests; try again after `retry_after_ms` milliseconds. */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  ...more,
  retry_after_ms: Schema.Finite
}) {
  override get message(): string {
    return sentence(`Too many requests: the next one is taken in ${this.retry_after_ms} ms`, this)
  }
}

/** One attempt of a snapshot: the tier (1 live, 2 activated, 3 direct), how it ended, and its milliseconds. */
export const TierAttempt = Schema.Struct({
  tier: Schema.Literals([1, 2, 3]),
  outcome: Schema.String,
  ms: Schema.Finite
})
export type TierAttempt = typeof TierAttempt.Type

/**
 * -32050: MediaMTX, FFmpeg or the camera did not do its part. `details` names the camera that was asked for; `tiers_tried`
 * comes with a failed snapshot.
 */
export class DependencyFailed extends Schema.TaggedError<DependencyFailed>()("DependencyFailed", {
  ...more,
  dependency: Schema.Literals(["mediamtx", "ffmpeg", "camera", "storage"]),
  detail: Schema.String,
  tiers_tried: Schema.optionalKey(Schema.Array(TierAttempt))
}) {
  override get message(): string {
    const about = this.details === undefined ? "" : ` (${this.details})`
    return sentence(`${this.dependency} did not do its part${about}: ${this.detail}`, this)
  }
}

export const ServiceError = Schema.Union([
  InvalidParams,
  AuthFailed,
  PermissionDenied,
  NotFound,
  InvalidState,
  Unsupported,
  RateLimited,
  DependencyFailed
])
export type ServiceError = typeof ServiceError.Type
