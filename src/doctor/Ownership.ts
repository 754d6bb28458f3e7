import * as Effect from "effect/Effect"
import { join } from "node:path"
import { KernelFiles } from "../ground/KernelFiles.ts"

/** Tells the processes of a service from others: itself and its children (FFmpeg, MediaMTX). */
export const makeOwnership = Effect.map(KernelFiles, (files) => (service: number | undefined) => (pid: number) => {
  const parent = /^PPid:\s+(\d+)$/m.exec(files.text(join(files.proc, String(pid), "status")) ?? "")?.[1]
  return service !== undefined && (pid === service || Number(parent) === service)
})
