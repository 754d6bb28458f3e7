import type { ComponentChildren } from "preact"
import { say } from "../notices.ts"
import { Icon, type IconName } from "./Icon.tsx"

interface Props {
  readonly icon?: IconName
  /** what it does, in words: shown where there are no `children` to be seen, read out where it says more than they */
  readonly label: string
  readonly onPress: () => void
  /** why it cannot be pressed now; it stays reachable by keyboard, and says so */
  readonly why?: string | undefined
  readonly kind?: "plain" | "primary" | "danger" | "quiet" | "recording" | "waiting"
  readonly pressed?: boolean
  readonly children?: ComponentChildren
}

export const Button = ({ children, icon, kind = "plain", label, onPress, pressed, why }: Props) => (
  <button
    type="button"
    class={`button ${kind} ${children === undefined ? "iconOnly" : ""}`}
    aria-label={saysMore(label, children) ? label : undefined}
    aria-disabled={why !== undefined}
    aria-pressed={pressed}
    title={why ?? (children === undefined ? label : undefined)}
    onClick={() => (why === undefined ? onPress() : say({ kind: "failed", what: why }))}
  >
    {icon === undefined ? undefined : <Icon name={icon} />}
    {children}
  </button>
)

/** A name that is spoken has what is to be seen in it (WCAG 2.2, 2.5.3). */
const saysMore = (label: string, children: ComponentChildren): boolean =>
  children === undefined || (typeof children === "string" && label.toLowerCase().includes(children.toLowerCase()))

/** Why this role may not do it; undefined: it may. */
export const roleNeeded = (may: boolean, role: "operator" | "admin"): string | undefined =>
  may ? undefined : `This needs the ${role} role: log in with such a token to do it.`
