import { useConsole } from "../Context.ts"
import { plural, when } from "../format.ts"
import { useAsked } from "../hooks.ts"
import { Shown } from "../parts/Shown.tsx"

/** So many are listed; more nobody reads. */
const most = 100

/** Who is connected now, this page among them. */
export const Clients = () => {
  const { session } = useConsole()
  const asked = useAsked((call) => call.get_clients({ limit: most }), [], 5000)
  const own = session.account.value?.session_id
  return (
    <section class="card" aria-labelledby="clientsTitle">
      <h2 id="clientsTitle">Connected</h2>
      <Shown asked={asked}>
        {({ clients, total }) => (
          <>
            <p class="advice">
              {plural(total, "client")}
              {total > clients.length ? `, of whom the newest ${clients.length} are listed` : ""}. Who watches streams
              without a client is counted under Streams.
            </p>
            <div class="scroll tall" tabIndex={0} role="region" aria-label="List of clients">
              <table>
                <thead>
                  <tr>
                    <th scope="col">User</th>
                    <th scope="col">Role</th>
                    <th scope="col">From</th>
                    <th scope="col">Since</th>
                  </tr>
                </thead>
                <tbody>
                  {clients.map(({ address, connected_at, session: who }, at) => (
                    <tr key={who?.id ?? `${connected_at} ${at}`}>
                      <th scope="row">
                        {who?.user ?? "not logged in"}
                        {who !== undefined && who.id === own ? " (this page)" : ""}
                      </th>
                      <td>
                        {who?.role ?? "–"}
                        {who?.cameras === undefined ? "" : ` · ${who.cameras.join(", ")}`}
                      </td>
                      <td>{address}</td>
                      <td>{when(connected_at, session.serverNow())}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </>
        )}
      </Shown>
    </section>
  )
}
