import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { parseNetwork } from "../ground/IpAddress.ts"

/** What values of the configuration have to be: as patterns wherever one can say it, so that editors know it too. Pure. */

/** An IPv4 or IPv6 address (without brackets, its zone behind it), or a host name: no port, no URL. */
export const host = Schema.String.check(
  Schema.isPattern(
    /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?|(?=(?:[^:]*:){2})[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?)$/u
  )
)

/** A folder's path; nobody replaces `~` here, a shell would have. */
export const folder = Schema.String.check(Schema.isPattern(/^(?!~)/u))

/** An absolute path, or nothing: what is relative depends on where one starts from. */
export const optionalFile = Schema.String.check(Schema.isPattern(/^(?:\/.*)?$/u))

/** An HTTP URL without a user, a query and a fragment, or nothing. */
export const endpoint = Schema.String.check(
  Schema.isPattern(/^(?:https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?)?$/u),
  Schema.makeFilter((text: string) => text === "" || URL.canParse(text))
)

/**
 * An origin, letter by letter as browsers send it (WHATWG HTML, "ASCII serialization of an origin"): another text would
 * never match. `*` is none: a token is what protects us, and that pages of anywhere may not even try it is the other half.
 */
export const origin = Schema.String.check(
  Schema.isPattern(/^[a-z][a-z0-9+.-]*:\/\/[^/\s?#@*A-Z]+$/u),
  Schema.makeFilter((text: string) => !/^https?:/.test(text) || URL.parse(text)?.origin === text)
)

/** An IP address, or a network in CIDR notation whose other bits are 0. */
export const network = Schema.String.check(
  Schema.isPattern(/^[0-9A-Fa-f:.]+(?:\/[0-9]{1,3})?$/u),
  Schema.makeFilter((text: string) => parseNetwork(text) !== undefined)
)

/**
 * Of a secret that signs with HS256: as many bytes as its hash has, or more (RFC 7518, 3.2), be they characters of one that an
 * operator set.
 */
export const leastSecretLength = 32

/** A secret that stands in a URL as it is, or nothing. */
export const urlSecret = Schema.String.check(Schema.isPattern(/^(?:[\w-]{32,128})?$/u)).pipe(Schema.RedactedFromValue)

const byte = "(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)"

/** IPv4 addresses, and networks of 1024 addresses at most. */
export const scanRanges = Schema.Array(
  Schema.String.check(Schema.isPattern(new RegExp(`^(?:${byte}\\.){3}${byte}(?:/(?:2[2-9]|3[0-2]))?$`, "u")))
).check(Schema.isMaxLength(16))

/** What is asked for behind the ports there: `5554/subject`. */
export const scanStreams = Schema.Array(
  Schema.String.check(
    Schema.isPattern(
      /^(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])\/[\w.~!&'()*+,;=:@%/?-]{0,200}$/u
    )
  )
).check(Schema.isMaxLength(16))

export const text = Schema.NonEmptyString
/** The limits are allowed too, here and below. */
export const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
export const port = whole(1, 65535)
export const names = Schema.Array(Schema.NonEmptyString)
export const amount = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
export const amountsByCamera = Schema.Array(
  Schema.String.check(Schema.isPattern(/^camera[0-9]+=(?!0+(\.0+)?$)\d{1,6}(\.\d+)?$/))
)

/** A number of seconds in the file, a Duration in the service. */
export const seconds = (minimum: number, maximum: number) =>
  Schema.Finite.check(Schema.isBetween({ minimum, maximum })).pipe(
    Schema.decodeTo(
      Schema.Duration,
      SchemaTransformation.transform({
        decode: (n: number) => Duration.seconds(n),
        encode: (d: Duration.Duration) => Duration.toSeconds(d)
      })
    )
  )

/** The same in whole milliseconds. */
export const milliseconds = (minimum: number, maximum: number) =>
  whole(minimum, maximum).pipe(
    Schema.decodeTo(
      Schema.Duration,
      SchemaTransformation.transform({
        decode: (n: number) => Duration.millis(n),
        encode: (d: Duration.Duration) => Duration.toMillis(d)
      })
    )
  )
