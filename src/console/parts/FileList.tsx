import { type Signal, useSignal } from "@preact/signals"
import type { ComponentChildren, VNode } from "preact"
import type { FileEntry } from "../../../schema/Storage.ts"
import { ownUrl, urlMillis } from "../files.ts"
import { useAsked } from "../hooks.ts"
import { addressOf } from "../routes.ts"
import { Button } from "./Button.tsx"
import { CameraChoice } from "./CameraChoice.tsx"
import { DeleteButton, isLeaving } from "./DeleteButton.tsx"
import { Icon } from "./Icon.tsx"
import { Empty, Shown } from "./Shown.tsx"

const page = 50
const longest = 1000

interface Props {
  readonly kind: "recording" | "snapshot"
  /** what it is called */
  readonly label: string
  /** how it is laid out, by the style sheet */
  readonly layout: "rows" | "gallery"
  readonly heading?: VNode
  /** what there is where there are none: words, before the camera's name */
  readonly none: string
  /** loaded anew when any of it changes */
  readonly changes: ReadonlyArray<unknown>
  /** one of them, as a list item */
  readonly children: (file: FileEntry) => VNode
}

/** Files of one kind, newest first, of all cameras or of one. */
export const FileList = ({ changes, children, heading, kind, label, layout, none }: Props) => {
  const device = useSignal("")
  const limit = useSignal(page)
  const asked = useAsked(
    (call) => {
      const which = { limit: limit.value, ...(device.value === "" ? {} : { device: device.value }) }
      return kind === "recording" ? call.list_recordings(which) : call.list_snapshots(which)
    },
    [device.value, limit.value, ...changes],
    urlMillis
  )
  return (
    <>
      <div class="toolbar">
        {heading}
        <CameraChoice device={device} />
      </div>
      <Shown asked={asked}>
        {({ files, total }) => {
          const staying = files.filter(({ filename }) => !isLeaving(filename))
          return staying.length === 0 && files.length === total ? (
            <Empty icon={kind === "recording" ? "film" : "image"}>
              <p>
                {none}
                {device.value === "" ? "" : ` of ${device.value}`}.
              </p>
              <p class="advice">
                The {kind === "recording" ? "record" : "snapshot"} button stands under each of the{" "}
                <a href={addressOf({ view: "wall" })}>cameras</a>; what it makes appears here at once.
              </p>
            </Empty>
          ) : (
            <>
              <ul class={layout} aria-label={label}>
                {staying.map(children)}
              </ul>
              <More shown={files.length} total={total} limit={limit} />
            </>
          )
        }}
      </Shown>
    </>
  )
}

interface RowProps {
  readonly file: FileEntry
  readonly kind: "recording" | "snapshot"
  readonly name: string
  readonly facts: string
  /** before the name */
  readonly children?: ComponentChildren
}

/** What a file is, and what can be done with it. */
export const FileRow = ({ children, facts, file, kind, name }: RowProps) => (
  <div class="row">
    {children}
    <p class="what">
      <span class="filename">{name}</span>
      <span class="facts" title={file.filename}>
        {facts}
      </span>
    </p>
    <span class="actions">
      <a
        class="button quiet iconOnly"
        href={ownUrl(file.download_url)}
        download=""
        title={`Download ${file.filename}`}
        aria-label={`Download ${file.filename}`}
      >
        <Icon name="download" />
      </a>
      <DeleteButton file={file} kind={kind} />
    </span>
  </div>
)

const More = ({
  limit,
  shown,
  total
}: {
  readonly shown: number
  readonly total: number
  readonly limit: Signal<number>
}) =>
  shown >= total ? null : limit.value >= longest ? (
    <p class="more">
      The newest {shown} of {total} are shown: choose a camera to see others.
    </p>
  ) : (
    <p class="more">
      <Button label="Show more" onPress={() => void (limit.value = Math.min(longest, limit.value * 2))}>
        Show more ({shown} of {total})
      </Button>
    </p>
  )
