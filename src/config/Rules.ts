import * as Schema from "effect/Schema"

/** What texts of the configuration have to be: as patterns wherever one can say it, so that editors know it too. Pure. */

/** An IPv4 or IPv6 address (without brackets, its zone behind it), or a host name: no port, no URL. */
export const host = Schema.String.check(
  Schema.isPattern(
    /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?|(?=(?:[^:]*:){2})[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?)$/u
  )
)

/** A folder's path; nobody replaces `~` here, a shell would have. */
export const folder = Schema.String.check(Schema.isPattern(/^(?!~)/u))

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
