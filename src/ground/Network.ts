import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { listen } from "./Listener.ts"
import type { JsonReply, NoReply } from "./Loopback.ts"
import { listenSecure } from "./SecureListener.ts"
import type { ServerCertificate } from "./ServerCertificate.ts"
import type { Address, AddressTaken, AddressUnusable, Host } from "./Visits.ts"
import { exchange, type WebReply, type WebRequest } from "./WebExchange.ts"
import { getJson } from "./WebJson.ts"

/** Sockets that others connect to, and servers elsewhere. */
export class Network extends Context.Service<
  Network,
  {
    /**
     * Lets in whoever comes, for as long as the scope lives; its end cuts every connection. Port 0: one that is free,
     * which the address that is given tells.
     */
    readonly listen: (
      address: Address,
      host: Host
    ) => Effect.Effect<Address, AddressTaken | AddressUnusable, Scope.Scope>
    /** the same by TLS; `show`: who comes from then on is shown this certificate, and nobody is cut */
    readonly listenSecure: (
      address: Address,
      host: Host,
      first: ServerCertificate
    ) => Effect.Effect<
      { readonly address: Address; readonly show: (next: ServerCertificate) => Effect.Effect<void> },
      AddressTaken | AddressUnusable,
      Scope.Scope
    >
    /** asks for a document (http, https), of 1 MiB at most; one that is elsewhere is not followed there */
    readonly getJson: (url: URL) => Effect.Effect<JsonReply, NoReply>
    /** one HTTP request and its reply; a redirect is a reply like any other */
    readonly exchange: (request: WebRequest) => Effect.Effect<WebReply, NoReply>
  }
>()("camera-service/ground/Network") {
  /** Node's. */
  static readonly layer = Layer.succeed(Network, Network.of({ listen, listenSecure, getJson, exchange }))
}
