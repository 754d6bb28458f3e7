import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as RpcClient from "effect/rpc/RpcClient"
import { RpcClientDefect, RpcClientError } from "effect/rpc/RpcClientError"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import { RequiredRole } from "../Auth.ts"
import { CameraRpcs } from "../CameraRpcs.ts"
import { AuthFailed } from "../Errors.ts"
import { ConnectionLost } from "./ConnectionLost.ts"

/** One function for each method, under its wire name. */
export type Calls = RpcClient.FromGroup<typeof CameraRpcs, ConnectionLost>

/** The functions over Effect's own client, whose errors are translated. */
export const makeCalls = (
  ask: RpcClient.RpcClient.Flat<RpcGroup.Rpcs<typeof CameraRpcs>, RpcClientError>,
  translate: (error: RpcClientError) => ConnectionLost | AuthFailed
): Calls => {
  const send = ask as (method: string, params: unknown, options: unknown) => Effect.Effect<unknown, unknown>
  const calls = Array.from(CameraRpcs.requests.keys(), (method) => [
    method,
    (params: unknown, options?: unknown) =>
      Effect.mapError(send(method, params, options), (error) =>
        error instanceof RpcClientError ? translate(error) : error
      )
  ])
  return Object.fromEntries(calls)
}

/** Whether a method may be called without having authenticated. */
export const isOpen = (method: string): boolean => {
  const rpc = CameraRpcs.requests.get(method)
  return rpc !== undefined && Context.get(rpc.annotations, RequiredRole) === undefined
}

/** An error of ours on its way through Effect's client, which knows none but its own. */
export const wrap = (error: ConnectionLost | AuthFailed): RpcClientError =>
  new RpcClientError({ reason: new RpcClientDefect({ message: error.message, cause: error }) })

/** What was wrapped; undefined where Effect's client speaks for itself. */
export const unwrap = ({ reason }: RpcClientError): ConnectionLost | AuthFailed | undefined => {
  const cause = reason._tag === "RpcClientDefect" ? reason.cause : undefined
  return cause instanceof ConnectionLost || cause instanceof AuthFailed ? cause : undefined
}
