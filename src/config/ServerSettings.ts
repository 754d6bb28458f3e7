import * as Schema from "effect/Schema"
import { plainHost } from "./Hosts.ts"
import * as Rules from "./Rules.ts"
import { key } from "./SettingKey.ts"

/** Who may connect, and how much of it at once; live, as `LiveSettings.ts` is. */
export const server = Schema.Struct({
  max_connections: key(Rules.whole(1, 100_000), 10_000, "1 to 100000", "open WebSocket connections; more are refused"),
  max_connections_per_address: key(
    Rules.whole(1, 100_000),
    2000,
    "1 to 100000",
    "open WebSocket connections of one address, not of this machine"
  ),
  max_unauthenticated_per_address: key(
    Rules.whole(1, 100_000),
    1000,
    "1 to 100000",
    "open WebSocket connections of one address, not of this machine, before they authenticate"
  ),
  max_downloads_per_user: key(
    Rules.whole(1, 10_000),
    64,
    "1 to 10000",
    "downloads of one user, token or key at once; more are refused"
  ),
  max_downloads_per_address: key(
    Rules.whole(1, 100_000),
    256,
    "1 to 100000",
    "downloads of one address, not of this machine, at once"
  ),
  max_exports_per_user: key(
    Rules.whole(1, 100),
    2,
    "1 to 100",
    "exports of one user, token or key at once, of 4 in all; each is a download too"
  ),
  max_stream_requests_per_user: key(
    Rules.whole(1, 100_000),
    256,
    "1 to 100000",
    "requests to /whep and /hls that one user, key or player has under way at once; more are refused"
  ),
  max_stream_requests_per_address: key(
    Rules.whole(1, 100_000),
    512,
    "1 to 100000",
    "requests to /whep and /hls that one address, not of this machine, has under way at once"
  ),
  allowed_origins: key(
    Schema.Array(Rules.origin),
    [],
    "a list of origins as browsers send them, such as https://console.example:8443 (no path, no *)",
    "browser origins that may connect, beside the server's own"
  ),
  max_unread_kilobytes: key(
    Rules.whole(512, 65_536),
    4096,
    "512 to 65536",
    "replies that a client may leave unread, or it is cut; with an eighth of it unread it gets no notifications"
  ),
  max_subscriptions_per_client: key(
    Rules.whole(1, 10_000),
    256,
    "1 to 10000",
    "event topics that a client may subscribe to, each counted for each camera that it names"
  ),
  public_host: key(
    Schema.Union([Schema.Literal(""), Schema.String.check(Schema.isPattern(plainHost))]),
    "",
    "an address or a host name, or empty",
    "the host that URLs for clients name; empty: the one by which the client came"
  ),
  trusted_proxies: key(
    Schema.Array(Rules.network),
    [],
    "a list of IP addresses, and of networks such as 10.0.0.0/8",
    "proxies that are believed who their clients are (X-Forwarded-For, -Proto, -Host; Forwarded); 127.0.0.1 is every user's"
  )
})

/** What tokens have to be, beside signed; live too. */
export const auth = Schema.Struct({
  jwks_url: key(
    Schema.String.check(Schema.isPattern(/^$|^https:\/\/\S+$|^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]\S*$/u)),
    "",
    "an https URL (http on this machine alone), or empty",
    "an identity provider's keys (JWKS): its tokens (RS256, ES256, EdDSA) count too; empty: none do"
  ),
  issuer: key(
    Schema.String,
    "",
    "a text, or empty",
    "the iss that tokens must have, the provider's and those signed with our secret; empty: any"
  ),
  audience: key(
    Schema.String,
    "",
    "a text, or empty",
    "the aud that tokens must have, the provider's and those signed with our secret; empty: any"
  ),
  clock_skew_seconds: key(
    Rules.seconds(0, 300),
    30,
    "0 to 300",
    "by so much the clock of who signs tokens may differ from ours"
  )
})

/** What browsers are told of TLS; live too. */
export const tls = Schema.Struct({
  hsts_seconds: key(
    Rules.whole(0, 63_072_000),
    0,
    "0 to 63072000",
    "so long browsers use nothing but TLS for this host's name, on all its ports (HSTS); 0: they are not told to"
  )
})
