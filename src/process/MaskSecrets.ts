/**
 * Takes credentials out of text that a program printed: `scheme://user:password@`, what a header logs in with, and the values
 * that are named as secrets, whether in a query (`?token=…`) or as an option (`password=…`, `api_key="…"`).
 */
export const maskSecrets = (text: string): string =>
  text
    // no scheme is longer; without an end to it a long word would take its length squared
    .replace(/([a-z][a-z0-9+.-]{0,31}:\/\/)[^/\s]*@/gi, "$1***@")
    .replace(/\b(authorization: *\w+|bearer) +[^\s'"]+/gi, "$1 ***")
    .replace(
      /((?:token|jwt|signed|session|password|passwd|passphrase|pass|pwd|secret|key|auth)=)(?:"[^"]*"?|'[^']*'?|[^&\s'"]*)/gi,
      "$1***"
    )
