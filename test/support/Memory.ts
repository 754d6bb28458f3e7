import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

/** Bytes of memory that are held now, on the heap and beside it, without garbage. */
export const bytesHeld = (): number => {
  setFlagsFromString("--expose-gc")
  const collect: () => void = runInNewContext("gc")
  collect()
  // buffers are swept by another thread, which the next collection waits for
  collect()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return arrayBuffers + heapUsed
}
