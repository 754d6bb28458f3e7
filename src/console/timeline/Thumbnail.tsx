import { useSignal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { useConsole } from "../Context.ts"

/** A pointer that goes by asks for nothing. */
const rest = 80

/** A small picture of what was recorded then. */
export const Thumbnail = ({ at, device }: { readonly device: string; readonly at: number }) => {
  const { session } = useConsole()
  const url = useSignal<string | undefined>(undefined)
  const seconds = Math.floor(at / 1000)
  useEffect(() => {
    const gone = new AbortController()
    const timer = setTimeout(async () => {
      const picture = await fetch(`/thumbnails/${device}/${seconds}.jpg`, {
        headers: { authorization: session.bearer() },
        signal: gone.signal
      }).then(
        (response) => (response.ok ? response.blob() : undefined),
        // the pointer went on
        () => undefined
      )
      if (picture === undefined || gone.signal.aborted) return
      const before = url.peek()
      url.value = URL.createObjectURL(picture)
      if (before !== undefined) URL.revokeObjectURL(before)
    }, rest)
    return () => {
      clearTimeout(timer)
      gone.abort()
    }
  }, [device, seconds])
  useEffect(
    () => () => {
      if (url.peek() !== undefined) URL.revokeObjectURL(url.peek() ?? "")
    },
    []
  )
  return url.value === undefined ? <span class="thumbnail" /> : <img class="thumbnail" src={url.value} alt="" />
}
