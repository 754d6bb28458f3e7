import type { Refusal } from "../ground/Visits.ts"

/** What HTTP says instead of what was asked for: what is wrong, and what to do about it, as JSON. */
export const refusal = (
  status: number,
  error: string,
  suggestion: string,
  headers: Refusal["headers"] = {}
): Refusal => ({
  status,
  headers: {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
    "content-type": "application/json"
  },
  body: `${JSON.stringify({ error, suggestion })}\n`
})
