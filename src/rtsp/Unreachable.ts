/** Why there is no connection, by errno: without the address, for it is told to whoever asks how the service is. */
export const whyUnreachable = (code: string): string => noWay[code] ?? `no connection: ${code}`

const noWay: Readonly<Record<string, string>> = {
  ECONNRESET: "it breaks the connection off",
  ECONNREFUSED: "nobody listens at its port",
  EHOSTUNREACH: "there is no such machine in its network",
  ENETUNREACH: "this machine has no way to its network"
}
