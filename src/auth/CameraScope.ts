import type { CameraId } from "../../schema/Camera.ts"
import { matchesGlob } from "../config/Glob.ts"

/** The cameras that a user may see: names and globs; undefined: all. */
type Scope = ReadonlyArray<string> | undefined

const isGlob = (pattern: string): boolean => /[*?]/.test(pattern)

export const inScope = (scope: Scope, camera: CameraId): boolean =>
  scope === undefined ||
  scope.some((pattern) => pattern === camera || (isGlob(pattern) && matchesGlob(camera, pattern)))

/** Whether all that the one may see the other may see too, as far as their patterns tell. */
export const isWithin = (inner: Scope, outer: Scope): boolean => {
  if (outer === undefined || inner === undefined) return outer === undefined
  return inner.every(
    (pattern) =>
      outer.some((wider) => wider === "*" || wider === pattern) || (!isGlob(pattern) && inScope(outer, pattern))
  )
}
