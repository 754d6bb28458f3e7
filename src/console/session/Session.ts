import { batch, type ReadonlySignal, signal } from "@preact/signals"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { type Authenticated, type Role, roleIncludes } from "../../../schema/Auth.ts"
import { AuthFailed } from "../../../schema/Errors.ts"
import type { Notification } from "../../../schema/Event.ts"
import type { Calls } from "../../../schema/client/Calls.ts"
import { CameraClient, type ConnectionState } from "../../../schema/client/CameraClient.ts"
import { ConnectionLost } from "../../../schema/client/ConnectionLost.ts"
import type { OpenWebSocket } from "../../../schema/client/Dialing.ts"
import { clockOffset } from "./clockOffset.ts"
import type { Phase } from "./Phase.ts"

/** The clock here may be wrong, and sleeps with the machine: so often it is looked whether the token has expired. */
const lookEvery = Duration.seconds(30)

/**
 * The one connection of the page: it logs in, stays logged in where it may, and tells how it is. The token or key is in
 * memory alone, and gone with the page.
 */
export class Session {
  private readonly phases = signal<Phase>({ _tag: "LoggedOut" })
  private readonly accounts = signal<Authenticated | undefined>(undefined)
  private readonly connections = signal(0)
  private readonly disturbances = signal(0)
  private readonly settlements = signal(false)
  private readonly listeners = new Set<(notification: Notification) => void>()
  private readonly url: string
  private readonly openWebSocket: OpenWebSocket
  private client: CameraClient["Service"] | undefined
  private held: Redacted.Redacted = Redacted.make("")
  private mayRenew = true
  private life: Fiber.Fiber<unknown, unknown> | undefined
  private offset = 0

  constructor(url: string, openWebSocket: OpenWebSocket = (address) => new WebSocket(address)) {
    this.url = url
    this.openWebSocket = openWebSocket
    let mediaServer: string | undefined
    this.listen((told) => {
      if (told.method !== "system_health_update" || told.params.components.mediamtx === mediaServer) return
      mediaServer = told.params.components.mediamtx
      this.disturbances.value++
    })
  }

  get phase(): ReadonlySignal<Phase> {
    return this.phases
  }

  /** who is logged in, or was until it expired */
  get account(): ReadonlySignal<Authenticated | undefined> {
    return this.accounts
  }

  /** whether there is somebody to show something to, by the service's clock */
  get isSettled(): ReadonlySignal<boolean> {
    return this.settlements
  }

  /** counts the connections: what was loaded is loaded anew at each; 0: there was none yet */
  get connection(): ReadonlySignal<number> {
    return this.connections
  }

  /** counts what may have broken what is live: a new connection, and each time that the media server goes or comes */
  get disturbance(): ReadonlySignal<number> {
    return this.disturbances
  }

  /** Starts anew with a token or an API key. */
  login(token: string): void {
    this.end()
    this.held = Redacted.make(token)
    this.mayRenew = true
    this.phases.value = { _tag: "Connecting" }
    this.life = Effect.runFork(Effect.scoped(this.hold))
  }

  /**
   * The same with the token of a link, where nobody is logged in: anybody may make somebody follow a link, and go on unseen as
   * whoever it logs in. Gives whether it was taken.
   */
  offer(token: string): boolean {
    const isFree = this.phases.peek()._tag === "LoggedOut"
    if (isFree) this.login(token)
    return isFree
  }

  logout(): void {
    this.end()
    this.held = Redacted.make("")
    batch(() => {
      this.phases.value = { _tag: "LoggedOut" }
      this.accounts.value = undefined
      this.settlements.value = false
    })
  }

  /** For requests over HTTP, such as WHEP. */
  bearer(): string {
    return `Bearer ${Redacted.value(this.held)}`
  }

  has(role: Role): boolean {
    const account = this.accounts.value
    return account !== undefined && roleIncludes(account.role, role)
  }

  /** Epoch milliseconds by the service's clock, which names and stamps all that is shown. */
  serverNow(): number {
    return this.serverTime(Date.now())
  }

  /** The same of a time of this machine's clock. */
  serverTime(here: number): number {
    return here + this.offset
  }

  /** Asks the service; a token that has expired shows here first. */
  ask<A, E>(use: (call: Calls) => Effect.Effect<A, E>): Effect.Effect<A, E | ConnectionLost> {
    return Effect.suspend((): Effect.Effect<A, E | ConnectionLost> => {
      if (this.client === undefined) {
        return Effect.fail(new ConnectionLost({ message: "Nobody is logged in.", retrying: false }))
      }
      return Effect.tapError(use(this.client.call), (error) =>
        Effect.sync(() => {
          if (error instanceof AuthFailed) this.expire(error.reason)
        })
      )
    })
  }

  /** Looks whether the login still holds: something that it should open has been refused. */
  readonly verify: Effect.Effect<void> = Effect.suspend(() =>
    Effect.ignore(this.ask((call) => call.get_server_info({})))
  )

  /** Done with the next disturbance after this one: a login is one too. */
  afterDisturbance(known: number): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const stop = this.disturbances.subscribe((now) => {
        if (now !== known) resume(Effect.void)
      })
      return Effect.sync(stop)
    })
  }

  /** Has `listener` told what the service says unasked, until the function that it gives is called. */
  listen(listener: (notification: Notification) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private readonly hold = Effect.gen({ self: this }, function* () {
    const client = yield* CameraClient.make({
      url: this.url,
      token: this.nextToken,
      patience: "3 seconds",
      openWebSocket: this.openWebSocket
    })
    this.client = client
    yield* client.notifications.pipe(
      Stream.runForEach((told) => Effect.sync(() => this.listeners.forEach((listener) => listener(told)))),
      Effect.forkScoped({ startImmediately: true })
    )
    yield* Effect.forkScoped(this.watchExpiry)
    yield* client
      .onEachConnection(client.call.subscribe_events({ topics: ["camera.*", "recording.*", "snapshot.*", "system.*"] }))
      .pipe(Effect.ignore, Effect.forkScoped)
    yield* Stream.runForEach(client.states, (state) => this.told(state))
  })

  /** At each connection what is there; later another one, where the service renews it. */
  private readonly nextToken = Effect.gen({ self: this }, function* () {
    if (this.client !== undefined && this.mayRenew && this.phases.peek()._tag === "Ready") {
      const renewed = yield* Effect.option(this.client.call.refresh_token({}))
      if (renewed._tag === "Some") this.held = Redacted.make(renewed.value.auth_token)
      else this.mayRenew = false
    }
    return this.held
  })

  private readonly watchExpiry = Effect.gen({ self: this }, function* () {
    while (true) {
      const account = this.accounts.peek()
      const left = account === undefined ? Infinity : Date.parse(account.expires_at) - this.serverNow()
      yield* Effect.sleep(Duration.min(lookEvery, Duration.millis(Math.max(left, 250))))
      if (this.phases.peek()._tag !== "Ready" || account === undefined) continue
      // the service says whether it has
      if (Date.parse(account.expires_at) <= this.serverNow()) yield* this.verify
    }
  })

  private told(state: ConnectionState): Effect.Effect<void> {
    switch (state._tag) {
      case "Connecting":
        return Effect.void
      case "Ready":
        return this.opened(state.session, state.connection)
      case "Lost":
        return Effect.sync(() => {
          if (state.error._tag === "AuthFailed") this.expire(state.error.reason)
          else if (this.phases.peek()._tag !== "Expired")
            this.phases.value = { _tag: "Lost", reason: state.error.message }
        })
    }
  }

  private opened(account: Authenticated, connection: number): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const isNew = this.lastConnection !== connection || this.phases.peek()._tag !== "Ready"
      this.lastConnection = connection
      // what is to be shown is asked for meanwhile
      const offset =
        isNew && this.client !== undefined
          ? yield* Effect.forkChild(clockOffset(this.client.call), { startImmediately: true })
          : undefined
      batch(() => {
        this.accounts.value = account
        this.phases.value = { _tag: "Ready" }
        if (!isNew) return
        this.connections.value++
        this.disturbances.value++
      })
      if (offset !== undefined) this.offset = (yield* Fiber.join(offset)) ?? this.offset
      this.settlements.value = true
    })
  }
  private lastConnection = 0

  private expire(reason: string): void {
    // nobody was logged in yet: it was the wrong token
    if (this.accounts.peek() === undefined) {
      this.end()
      this.phases.value = { _tag: "LoggedOut", reason }
    } else this.phases.value = { _tag: "Expired", reason }
  }

  private end(): void {
    if (this.life !== undefined) Effect.runFork(Fiber.interrupt(this.life))
    this.life = undefined
    this.client = undefined
    this.lastConnection = 0
  }
}
