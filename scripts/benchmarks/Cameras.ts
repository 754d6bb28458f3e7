import type { Rpc } from "./Rpc.ts"
import { until } from "./Waiting.ts"

interface StreamStatus {
  readonly status: string
  readonly ffmpeg_process: { readonly running: boolean; readonly pid: number }
}

export const streamStatus = (rpc: Rpc, device: string): Promise<StreamStatus> =>
  rpc.call<StreamStatus>("get_stream_status", { device })

/** Waits until nothing of the camera's stream is left. */
export const awaitIdle = async (rpc: Rpc, device: string): Promise<void> => {
  const isIdle = async () => {
    const { ffmpeg_process, status } = await streamStatus(rpc, device)
    return status === "INACTIVE" && !ffmpeg_process.running
  }
  await until(`${device} is idle`, isIdle, { every: 20 })
}

/** Ends the camera's stream, where it has one. */
export const makeIdle = async (rpc: Rpc, device: string): Promise<void> => {
  if ((await streamStatus(rpc, device)).status !== "INACTIVE") await rpc.call("stop_streaming", { device })
  await awaitIdle(rpc, device)
}
