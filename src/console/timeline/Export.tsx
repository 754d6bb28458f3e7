import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { useRef } from "preact/hooks"
import { useConsole } from "../Context.ts"
import { ownUrl } from "../files.ts"
import { clockTime, span } from "../format.ts"
import { act, say } from "../notices.ts"
import { Button } from "../parts/Button.tsx"
import { isoTime, lengthOf, type Period } from "./period.ts"

class ExportRefused extends Schema.TaggedError<ExportRefused>()("ExportRefused", { message: Schema.String }) {}

interface Props {
  readonly devices: ReadonlyArray<string>
  readonly selection: Period | undefined
  readonly mark: (which: "from" | "to") => void
  readonly clear: () => void
}

const tooMany = 429
/** A place is free again when an export before it has been sent. */
const askEvery = "1 second"
/** The service hears so soon that a page has gone. */
const toHear = "300 millis"

/** Waits until an export may begin: a link would save a refusal as if it were the file. */
const awaitPlace = (device: string, url: string): Effect.Effect<void, ExportRefused> =>
  Effect.gen(function* () {
    for (let asked = 0; ; asked++) {
      const status = yield* Effect.promise(async () => {
        const enough = new AbortController()
        const { status: told } = await fetch(url, { signal: enough.signal }).catch(() => ({ status: 503 }))
        enough.abort()
        return told
      })
      yield* Effect.sleep(status === tooMany ? askEvery : toHear)
      if (status === tooMany) {
        if (asked === 0) say({ kind: "done", what: `The export of ${device} begins when another one has been sent.` })
        continue
      }
      if (status >= 400) {
        return yield* new ExportRefused({ message: `The export does not begin: it is answered with status ${status}.` })
      }
      return
    }
  })

/** Marks a range where the player is, and saves it as one file of each camera that plays. */
export const Export = ({ clear, devices, mark, selection }: Props) => {
  const { session } = useConsole()
  const link = useRef<HTMLAnchorElement>(null)
  const saveAll = async (range: Period) => {
    for (const device of devices) await save(device, range)
  }
  const save = (device: string, range: Period) =>
    act(
      session
        .ask((call) => call.export_recording({ device, from: isoTime(range.from), to: isoTime(range.to) }))
        .pipe(
          Effect.tap(({ download_url }) => awaitPlace(device, ownUrl(download_url))),
          Effect.tap(({ download_url }) =>
            Effect.sync(() => {
              if (link.current === null) return
              link.current.href = ownUrl(download_url)
              link.current.click()
            })
          )
        ),
      ({ duration }) => `${clockTime(duration)} of ${device} is being saved.`
    )
  return (
    <span class="actions">
      <Button label="Export from here" onPress={() => mark("from")}>
        From here
      </Button>
      <Button label="Export to here" onPress={() => mark("to")}>
        To here
      </Button>
      <Button
        icon="download"
        label="Export"
        why={
          selection === undefined
            ? "Play to where it shall begin and press “From here”, then “To here” where it shall end."
            : undefined
        }
        onPress={() => {
          if (selection !== undefined) void saveAll(selection)
        }}
      >
        {selection === undefined ? "Export" : `Export ${span(lengthOf(selection))}`}
      </Button>
      {selection === undefined ? undefined : (
        <Button icon="close" label="Clear the selection" kind="quiet" onPress={clear} />
      )}
      <a ref={link} download="" hidden aria-hidden="true" />
    </span>
  )
}
