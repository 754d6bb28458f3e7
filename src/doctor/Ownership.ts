import * as Effect from "effect/Effect"
import { join } from "node:path"
import { KernelFiles } from "../ground/KernelFiles.ts"

/**
 * Tells others' processes from those of a service: itself and its children (FFmpeg, MediaMTX). One that has ended meanwhile
 * is nobody's: from its fork to its exec a child has the sockets of its service.
 */
export const makeOwnership = Effect.map(KernelFiles, (files) => (service: number | undefined) => (pid: number) => {
  const told = (name: string) => files.text(join(files.proc, String(pid), name))
  const isThere = told("comm") !== undefined
  const parent = /^PPid:\s+(\d+)$/m.exec(told("status") ?? "")?.[1]
  return isThere && pid !== service && (service === undefined || Number(parent) !== service)
})
