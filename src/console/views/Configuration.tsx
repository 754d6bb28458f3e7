import { useSignal } from "@preact/signals"
import type { Configuration as InForce } from "../../../schema/System.ts"
import { type Asked, useAsked } from "../hooks.ts"
import { Shown } from "../parts/Shown.tsx"

type Setting = InForce["settings"][number]

const isLimit = ({ key }: Setting): boolean => /^(limits\.|server\.max_)/.test(key)

/** What the service was told to be, which is done in its file or its environment: here it is only read. */
export const Configuration = () => {
  const asked = useAsked((call) => call.get_configuration({}), [])
  const words = useSignal("")
  const sought = words.value.trim().toLowerCase()
  return (
    <>
      <section class="card" aria-labelledby="limitsTitle">
        <h2 id="limitsTitle">Limits</h2>
        <SettingTable asked={asked} label="List of limits" isShown={isLimit} />
      </section>
      <section class="card" aria-labelledby="configurationTitle">
        <h2 id="configurationTitle">Configuration</h2>
        <label class="search">
          Only those with
          <input
            type="search"
            value={words.value}
            placeholder="recording, port, environment …"
            onInput={({ currentTarget: { value } }) => void (words.value = value)}
          />
        </label>
        <SettingTable
          asked={asked}
          label="List of settings"
          isShown={(setting) => sought === "" || textOf(setting).includes(sought)}
        />
      </section>
    </>
  )
}

const shown = (value: Setting["value"]): string =>
  value === "" ? "not set" : typeof value === "string" ? value : JSON.stringify(value)

const textOf = ({ key, meaning, source, value }: Setting): string =>
  `${key} ${shown(value)} ${source} ${meaning}`.toLowerCase()

const SettingTable = ({
  asked,
  isShown,
  label
}: {
  readonly asked: Asked<InForce>
  readonly label: string
  readonly isShown: (setting: Setting) => boolean
}) => (
  <Shown asked={asked}>
    {({ settings }) => {
      const some = settings.filter(isShown)
      return some.length === 0 ? (
        <p class="advice">There is no such setting.</p>
      ) : (
        <div class="scroll tall" tabIndex={0} role="region" aria-label={label}>
          <table class="settings">
            <caption class="unseen">{label}</caption>
            <thead>
              <tr>
                <th scope="col">Setting</th>
                <th scope="col">Value</th>
                <th scope="col">From</th>
                <th scope="col">Changes</th>
              </tr>
            </thead>
            <tbody>
              {some.map(({ changes, environment, key, meaning, rule, source, value }) => (
                <tr key={key}>
                  <th scope="row">
                    <code>{key}</code>
                    <span class="facts">
                      {meaning} · takes {rule}
                      {source === "environment" ? ` · set by ${environment}` : ""}
                    </span>
                  </th>
                  <td data-label="Value">
                    <code>{shown(value)}</code>
                  </td>
                  <td data-label="From" class={source === "default" ? "past" : ""}>
                    {source}
                  </td>
                  <td data-label="Changes">{changes}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )
    }}
  </Shown>
)
