import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Headers from "effect/http/Headers"
import * as Rpc from "effect/rpc/Rpc"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import { RequestId } from "effect/rpc/RpcMessage"
import { CameraRpcs } from "../../schema/CameraRpcs.ts"

type Rpcs = RpcGroup.Rpcs<typeof CameraRpcs>
type Work = Effect.Effect<unknown, unknown>

/** One call of a client, and who wants to know how it ended. */
export interface Dispatched {
  readonly clientId: number
  readonly requestId: number
  readonly method: string
  readonly payload: unknown
  /** once, unless the client has gone */
  readonly answer: (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
  /** what all of it runs in, its answer too */
  readonly within?: ((work: Work) => Work) | undefined
}

/** Runs the handlers of `CameraRpcs`, each behind its middleware. */
export interface Dispatcher {
  readonly dispatch: (call: Dispatched) => void
  /** what the client asked for is interrupted */
  readonly disconnect: (clientId: number) => void
}

type Running = Set<Fiber.Fiber<unknown, unknown>>

interface Client {
  readonly server: Rpc.ServerClient
  /** of its calls that did not end at once */
  readonly fibers: Running
}

/**
 * What Effect's `RpcServer.makeNoSerialization` does for any group, done for this one: nothing is streamed or acknowledged, and
 * a handler that has its answer at hand needs no fiber, the others one instead of two (2 to 3 us and 2 kB of a ping). When its
 * scope ends, what runs is interrupted and waited for.
 */
export const makeDispatcher: Effect.Effect<
  Dispatcher,
  never,
  Rpc.ToHandler<Rpcs> | Rpc.Middleware<Rpcs> | Scope.Scope
> = Effect.gen(function* () {
  const services = yield* Effect.context<Rpc.ToHandler<Rpcs> | Rpc.Middleware<Rpcs> | Scope.Scope>()
  const run = Effect.runForkWith(services)
  const rpcs: Iterable<Rpc.Any> = CameraRpcs.requests.values()
  const runIn = runners(services)
  const methods = new Map(Array.from(rpcs, (rpc) => [rpc._tag, methodOf(rpc as Rpc.AnyWithProps, services, runIn)]))
  const clients = new Map<number, Client>()
  /** those of clients that have gone too, until they have ended */
  const all: Running = new Set()
  let isOver = false

  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      isOver = true
      return Fiber.interruptAll(Array.from(all))
    })
  )

  const clientOf = (id: number): Client => {
    const known = clients.get(id)
    if (known !== undefined) return known
    const made: Client = { server: new Rpc.ServerClient(id), fibers: new Set() }
    clients.set(id, made)
    return made
  }

  return {
    dispatch({ answer, clientId, method: name, payload, requestId, within }) {
      const method = methods.get(name)
      if (isOver || method === undefined) return
      const { fibers, server } = clientOf(clientId)
      const end = (exit: Exit.Exit<unknown, unknown>): void => {
        if (within !== undefined) return
        const answered = answer(exit)
        if (answered !== Effect.void) run(answered)
      }
      const work = method.work(payload, server, RequestId(requestId))
      if (within === undefined && Exit.isExit(work)) return end(work)
      const fiber = method.run(within === undefined ? work : within(Effect.onExit(work, answer)))
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return end(exit)
      fibers.add(fiber)
      all.add(fiber)
      fiber.addObserver((ended) => {
        fibers.delete(fiber)
        all.delete(fiber)
        end(ended)
      })
    },
    disconnect(clientId) {
      const client = clients.get(clientId)
      clients.delete(clientId)
      for (const fiber of client?.fibers ?? []) fiber.interruptUnsafe()
    }
  }
})

/** What runs handlers in what they were made with: handlers of a noun share it, and merging all of it takes a tenth of a ms. */
const runners = (services: Context.Context<never>) => {
  const made = new Map<Context.Context<never>, ReturnType<typeof Effect.runForkWith<never>>>()
  return (context: Context.Context<never>) => {
    const known = made.get(context)
    if (known !== undefined) return known
    // a handler that wants a scope opens its own: the one of the layer would hold what it leaves for as long as we run
    const run = Effect.runForkWith(Context.omit(Scope.Scope)(Context.merge(context, services)))
    made.set(context, run)
    return run
  }
}

const methodOf = (rpc: Rpc.AnyWithProps, services: Context.Context<never>, runIn: ReturnType<typeof runners>) => {
  const { context, handler } = Context.getUnsafe(services, { key: rpc.key } as never) as Rpc.Handler<string>
  const middlewares = Array.from(rpc.middlewares, (service) => Context.getUnsafe(services, service))
  return {
    run: runIn(context),
    work: (payload: unknown, client: Rpc.ServerClient, requestId: RequestId): Work => {
      const call = { rpc, client, requestId, headers: Headers.empty, payload }
      let work: Work
      try {
        work = handler(payload, call) as Work
      } catch (defect) {
        work = Effect.die(defect)
      }
      for (const middleware of middlewares) work = middleware(work as never, call) as Work
      return work
    }
  }
}
