import * as Schema from "effect/Schema"
import * as Rpc from "effect/rpc/Rpc"
import { Authorization, RequiredRole, type Role, Validation } from "./Auth.ts"
import { RateLimited } from "./Errors.ts"

/** A method that anybody may call, authenticated or not. `errors`: what it fails with, beside what any method may. */
export const open = <
  const Tag extends string,
  Fields extends Schema.Struct.Fields,
  Success extends Schema.Top,
  Errors extends ReadonlyArray<Schema.Top>
>(
  tag: Tag,
  payload: Fields,
  success: Success,
  ...errors: Errors
) =>
  Rpc.make(tag, { payload: Schema.Struct(payload), success, error: Schema.Union([RateLimited, ...errors]) })
    .annotate(RequiredRole, undefined)
    .middleware(Validation)

/** A method that needs a session of at least this role. */
const secured =
  (role: Role) =>
  <
    const Tag extends string,
    Fields extends Schema.Struct.Fields,
    Success extends Schema.Top,
    Errors extends ReadonlyArray<Schema.Top>
  >(
    tag: Tag,
    payload: Fields,
    success: Success,
    ...errors: Errors
  ) =>
    Rpc.make(tag, { payload: Schema.Struct(payload), success, error: Schema.Union([RateLimited, ...errors]) })
      .annotate(RequiredRole, role)
      // the last one added is the outermost: rights are checked before params
      .middleware(Validation)
      .middleware(Authorization)

export const viewer = secured("viewer")
export const operator = secured("operator")
export const admin = secured("admin")
