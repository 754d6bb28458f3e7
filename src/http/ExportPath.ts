import type { CameraId } from "../../schema/Camera.ts"
import type { Use } from "../auth/SignedUrls.ts"
import type { Period } from "../storage/Period.ts"

/** What a signature for an export is bound to, beside the camera. */
export const exportUse = ({ from, to }: Period): Use => `export/${from}-${to}`

/** Where an export is downloaded: a path on this server. */
export const exportPath = (camera: CameraId, { from, to }: Period): string =>
  `/export/${camera}?from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`
