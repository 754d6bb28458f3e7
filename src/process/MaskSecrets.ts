/**
 * Takes credentials out of text that a program printed: `scheme://user:password@` and the values of query parameters
 * that carry secrets.
 */
export const maskSecrets = (text: string): string =>
  text
    // no scheme is longer; without an end to it a long word would take its length squared
    .replace(/([a-z][a-z0-9+.-]{0,31}:\/\/)[^/\s]*@/gi, "$1***@")
    .replace(/([?&](?:token|jwt|signed|session|password|pass|secret|key|auth)=)[^&\s'"]*/gi, "$1***")
