import { useConsole } from "../Context.ts"
import { Empty } from "../parts/Shown.tsx"
import { Configuration } from "./Configuration.tsx"
import { Keys } from "./Keys.tsx"
import { Retention } from "./Retention.tsx"

/** What only administrators may: keys, what is deleted by itself, and how the service is configured. */
export const Administration = () => {
  const { session } = useConsole()
  if (!session.has("admin")) {
    return (
      <Empty icon="key">
        <p>This needs the admin role.</p>
        <p class="advice">Log in with such a token to see it.</p>
      </Empty>
    )
  }
  return (
    <div class="cards wide">
      <Keys />
      <Retention />
      <Configuration />
    </div>
  )
}
