/** MediaMTX could not write a recording; it tries again every 2 s, each time with a new file (its internal/recorder). */
export interface RecorderFailed {
  readonly _tag: "RecorderFailed"
  readonly path: string
  /** the name of the file */
  readonly file: string
  /** the errno's name, or the empty text: it said something else */
  readonly code: string
}

/** Go's words for what the kernel may say of a file (its syscall package, zerrors_linux_*.go). */
const errnos: Readonly<Record<string, string>> = {
  "no space left on device": "ENOSPC",
  "disk quota exceeded": "EDQUOT",
  "read-only file system": "EROFS",
  "permission denied": "EACCES",
  "operation not permitted": "EPERM",
  "input/output error": "EIO",
  "too many open files": "EMFILE"
}

/** What a line of its log says of a file that it could not write: `ERR [path camera0] [recorder] write FILE: REASON`. */
export const recorderFailureIn = (line: string): RecorderFailed | undefined => {
  const [, path, file, reason] = /^ERR \[path ([^\]]+)\] \[recorder\] .*\/([^/:]+): ([^:]+)$/.exec(line) ?? []
  if (path === undefined || file === undefined || reason === undefined) return undefined
  return { _tag: "RecorderFailed", path, file, code: errnos[reason] ?? "" }
}
