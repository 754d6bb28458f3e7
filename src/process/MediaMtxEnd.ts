import { PortInUse } from "../config/StartupErrors.ts"
import { inotifyAdvice } from "../ground/Inotify.ts"
import { type ChildExit, describeExit } from "./Child.ts"

/** Why MediaMTX ended, in its own words where it left some (`said`: the last it printed), and what to do about it. */
export const endOf = (exit: ChildExit, said: string, isStarting: boolean): string => {
  const detail = describeExit("MediaMTX", { ...exit, stderr: exit.stderr || complaintsIn(said) })
  const advice = isStarting ? inotifyAdvice(inotifyError(detail)) : undefined
  return advice === undefined ? detail : `${detail} (${advice})`
}

/** The last line says only that it ends. */
const complaintsIn = (said: string): string => {
  const errors = said.split("\n").filter((line) => line.startsWith("ERR"))
  return errors.length === 0 ? said : errors.join("\n")
}

/** It watches its configuration file, and does not start where it cannot (v1.21.0): its words, as the errno that they are of. */
const inotifyError = (detail: string): string => {
  if (/inotify: too many open files/.test(detail)) return "EMFILE"
  return /ERR no space left on device/.test(detail) ? "ENOSPC" : ""
}

/** The port that another program has, where MediaMTX (v1.21.0) said so at its end. */
export const bindError = (detail: string): PortInUse | undefined => {
  const found = /listen \w+ \[?([^\s\]]*?)\]?:(\d+): bind: address already in use/.exec(detail)
  return found ? new PortInUse({ host: found[1] ?? "", port: Number(found[2]) }) : undefined
}

/**
 * Its RTSP server ends for good when it could not accept one connection, for want of descriptors, say, while its API answers
 * (gortsplib, server_tcp_listener.go): why, where this line of its log says so.
 */
export const deafnessIn = (line: string): string | undefined => {
  const [, why] = /^ERR \[RTSPS?\] accept .*: ([^:]+)$/.exec(line) ?? []
  return why === undefined ? undefined : `it takes no viewers any more: ${why}`
}
