import { effect, signal } from "@preact/signals"
import { recall, remember } from "../memory.ts"
import { Button } from "./Button.tsx"

const themes = ["auto", "light", "dark"] as const
type Theme = (typeof themes)[number]
const isTheme = (value: unknown): value is Theme => themes.includes(value as Theme)

const theme = signal<Theme>("auto")
const names = { auto: "as the system", light: "light", dark: "dark" } as const

/** The page is in the colours that this browser remembers. */
export const followTheme = (): void => {
  theme.value = recall("theme", isTheme) ?? "auto"
  effect(() => void (document.documentElement.dataset["theme"] = theme.value))
}

export const Theme = () => {
  const now = theme.value
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
