import { useSignal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { useConsole } from "../Context.ts"
import { bytes, plural, span, when } from "../format.ts"
import { useAsked } from "../hooks.ts"
import { Fact } from "../parts/Fact.tsx"
import { Meter, Plot } from "../parts/Plot.tsx"
import { Shown } from "../parts/Shown.tsx"
import { type Component, partNames, sentence, serviceWords } from "../words.ts"
import { Clients } from "./Clients.tsx"

/** How the service is, and the machine under it. */
export const System = () => {
  const { session } = useConsole()
  const isAdmin = session.has("admin")
  return (
    <div class="cards">
      <About />
      {isAdmin ? (
        <>
          <Health />
          <Machine />
          <Storage />
          <Streams />
          <Clients />
        </>
      ) : (
        <section class="card" aria-labelledby="moreTitle">
          <h2 id="moreTitle">More</h2>
          <p class="advice">Health by part, the machine and its storage are shown to administrators.</p>
        </section>
      )}
    </div>
  )
}

const About = () => {
  const { session } = useConsole()
  const info = useAsked((call) => call.get_server_info({}), [])
  const state = useAsked((call) => call.get_system_status({}), [], 5000)
  return (
    <section class="card" aria-labelledby="aboutTitle">
      <h2 id="aboutTitle">Service</h2>
      <Shown asked={state}>
        {({ message, status }) => <p class={`state ${status === "ready" ? "good" : "fair"}`}>{sentence(message)}</p>}
      </Shown>
      <Shown asked={info}>
        {({ architecture, build_date, name, runtime_version, version }) => (
          <dl class="facts">
            <Fact name="Version">
              {name} {version}
            </Fact>
            <Fact name="Built">{when(build_date, session.serverNow())}</Fact>
            <Fact name="Runs on">
              {runtime_version}, {architecture}
            </Fact>
          </dl>
        )}
      </Shown>
      <dl class="facts">
        <Fact name="You are">
          {session.account.value?.role ?? ""}, until{" "}
          {when(session.account.value?.expires_at ?? "", session.serverNow())}
        </Fact>
      </dl>
    </section>
  )
}

const partStates = { RUNNING: "good", STARTING: "fair", STOPPING: "fair", STOPPED: "bad", ERROR: "bad" } as const

const Health = () => {
  const { cameras } = useConsole()
  // what is told unasked comes at once; the uptime grows meanwhile
  const asked = useAsked((call) => call.get_status({}), [cameras.health.value], 5000)
  return (
    <section class="card" aria-labelledby="healthTitle">
      <h2 id="healthTitle">Health</h2>
      <Shown asked={asked}>
        {({ components, reasons = [], status, uptime }) => (
          <>
            <p class={`state ${status === "HEALTHY" ? "good" : status === "DEGRADED" ? "fair" : "bad"}`}>
              {serviceWords[status]}, up for {span(uptime * 1000)}
            </p>
            {reasons.length === 0 ? undefined : (
              <ul class="reasons">
                {reasons.map((reason) => (
                  <li key={reason}>{reason}</li>
                ))}
              </ul>
            )}
            <dl class="facts">
              {Object.entries(components).map(([part, state]) => (
                <Fact key={part} name={partNames[part as Component]}>
                  <span class={`status ${partStates[state]}`}>{state.toLowerCase()}</span>
                </Fact>
              ))}
            </dl>
          </>
        )}
      </Shown>
    </section>
  )
}

/** A point every 2 s: five minutes. */
const points = 150

const Machine = () => {
  const { cameras } = useConsole()
  const waiting = [...cameras.recording.value.values()].filter(({ status }) => status === "ERROR").length
  const asked = useAsked((call) => call.get_metrics({}), [], 2000)
  const history = useSignal<ReadonlyArray<{ readonly cpu: number; readonly memory: number }>>([])
  const state = asked.state.value
  const latest = state._tag === "Loaded" ? state.value : undefined
  useEffect(() => {
    if (latest === undefined) return
    const { cpu_usage, memory_usage } = latest.system_metrics
    history.value = [...history.peek().slice(1 - points), { cpu: cpu_usage, memory: memory_usage }]
  }, [latest])
  return (
    <section class="card" aria-labelledby="machineTitle">
      <h2 id="machineTitle">Machine</h2>
      <Shown asked={asked}>
        {({ recording_metrics, stream_metrics, system_metrics: { cpu_usage, memory_usage } }) => (
          <>
            <Plot
              name="Processor"
              values={history.value.map(({ cpu }) => cpu)}
              now={`${cpu_usage.toFixed(0)} %`}
              points={points}
            />
            <Plot
              name="Memory"
              values={history.value.map(({ memory }) => memory)}
              now={`${memory_usage.toFixed(0)} %`}
              points={points}
            />
            <dl class="facts">
              <Fact name="Streams">
                {stream_metrics.active_streams} of {stream_metrics.total_streams} running
                {stream_metrics.total_viewers === undefined
                  ? ""
                  : `, ${plural(stream_metrics.total_viewers, "viewer")}`}
              </Fact>
              <Fact name="Recordings">
                {Math.max(0, recording_metrics.active_recordings - waiting)} running
                {waiting === 0 ? "" : `, ${waiting} waiting`}
              </Fact>
            </dl>
          </>
        )}
      </Shown>
    </section>
  )
}

const Storage = () => {
  const { session } = useConsole()
  const asked = useAsked((call) => call.get_storage_info({}), [], 10_000)
  return (
    <section class="card" aria-labelledby="storageTitle">
      <h2 id="storageTitle">Storage</h2>
      <Shown asked={asked}>
        {(storage) => (
          <>
            <Meter name="Disk" percent={storage.usage_percentage} isLow={storage.low_space_warning} />
            <dl class="facts">
              <Fact name="Free">
                {bytes(storage.available_space)} of {bytes(storage.total_space)}
                {storage.low_space_warning ? <strong class="refusal"> · low</strong> : undefined}
              </Fact>
              <Fact name="Recordings">
                {bytes(storage.recordings_size)}
                {storage.days_kept === undefined ? "" : `, ${storage.days_kept.toFixed(1)} days back`}
              </Fact>
              <Fact name="Snapshots">{bytes(storage.snapshots_size)}</Fact>
              {storage.bytes_per_day === undefined ? undefined : (
                <Fact name="Grows by">{bytes(storage.bytes_per_day)} a day</Fact>
              )}
              <Fact name="Forecast">{forecastOf(storage.full_at, session.serverNow())}</Fact>
              {storage.retention === undefined ? undefined : <Fact name="Deleted">{storage.retention}</Fact>}
            </dl>
          </>
        )}
      </Shown>
    </section>
  )
}

const forecastOf = (fullAt: string | undefined, now: number): string => {
  if (fullAt === undefined) return "not full as far as can be told"
  // told as of the answer, by a clock that is known to some milliseconds
  if (Date.parse(fullAt) <= now + 1000) return "full: recordings wait until there is room"
  return `full ${when(fullAt, now)} if it goes on like this`
}

const Streams = () => {
  const asked = useAsked((call) => call.get_streams({}), [], 5000)
  return (
    <section class="card" aria-labelledby="streamsTitle">
      <h2 id="streamsTitle">Streams</h2>
      <Shown asked={asked}>
        {(streams) =>
          streams.length === 0 ? (
            <p class="advice">There is no stream.</p>
          ) : (
            <div class="scroll" tabIndex={0} role="region" aria-label="List of streams">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Camera</th>
                    <th scope="col">Source</th>
                    <th scope="col">State</th>
                    <th scope="col">Viewers</th>
                    <th scope="col">Sent</th>
                  </tr>
                </thead>
                <tbody>
                  {streams.map(({ bytes_sent, name, readers, ready, source }) => (
                    <tr key={name}>
                      <th scope="row">{name}</th>
                      <td>{source}</td>
                      <td>{ready ? "running" : "idle"}</td>
                      <td>{readers}</td>
                      <td>{bytes(bytes_sent)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Shown>
    </section>
  )
}
