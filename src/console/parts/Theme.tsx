import { signal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { recall, remember } from "../memory.ts"
import { Button } from "./Button.tsx"

const themes = ["auto", "light", "dark"] as const
type Theme = (typeof themes)[number]
const isTheme = (value: unknown): value is Theme => themes.includes(value as Theme)

const theme = signal<Theme>(recall("theme", isTheme) ?? "auto")
const names = { auto: "as the system", light: "light", dark: "dark" } as const

export const Theme = () => {
  const now = theme.value
  useEffect(() => {
    document.documentElement.dataset["theme"] = now
  }, [now])
  const next = themes[(themes.indexOf(now) + 1) % themes.length] ?? "auto"
  return (
    <Button
      icon={now}
      label={`Colours: ${names[now]}; change to ${names[next]}`}
      kind="quiet"
      onPress={() => {
        theme.value = next
        remember("theme", next)
      }}
    />
  )
}
