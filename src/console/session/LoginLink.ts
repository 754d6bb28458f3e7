/** What a login link holds: `#token=…`, which browsers keep to themselves. */
export const tokenIn = (fragment: string): string | undefined => {
  const token = new URLSearchParams(fragment.slice(1)).get("token")
  return token === null || token === "" ? undefined : token
}
