import { execFileSync } from "node:child_process"
import { join } from "node:path"
import type { Benchmark } from "./Benchmark.ts"

/** A network where nobody has an address but this machine: who is asked for is silent. */
const network = [
  "ip link set lo up",
  "ip link add silent type veth peer name end",
  "ip address add 192.168.42.1/24 dev silent",
  "ip link set silent up",
  "ip link set end up",
  'exec "$0" "$@"'
].join(" && ")

/** A /24 where nobody answers, both of Skydio's streams, and what 1,000 clients notice of it. */
export const scan: Benchmark = async ({ say }) => {
  say("253 silent addresses, 2 ports each; 1,000 connections")
  const program = [process.execPath, join(import.meta.dirname, "ScanProcess.ts")]
  const output = execFileSync("unshare", ["--map-root-user", "--net", "sh", "-c", network, ...program], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const { detail, p99, seconds } = JSON.parse(output.toString().trim().split("\n").at(-1) ?? "") as {
    readonly seconds: number
    readonly p99: number
    readonly detail: string
  }
  return [
    { name: "external.scan", value: seconds },
    { name: "external.latency", value: p99, detail }
  ]
}
