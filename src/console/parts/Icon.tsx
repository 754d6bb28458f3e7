/** Written in by the build: where the sprite is. */
declare const __ICONS__: string | undefined

const sprite = typeof __ICONS__ === "string" ? __ICONS__ : "icons.svg"

export type IconName =
  | "grid"
  | "camera"
  | "film"
  | "image"
  | "list"
  | "gauge"
  | "key"
  | "record"
  | "stop"
  | "shutter"
  | "expand"
  | "close"
  | "download"
  | "trash"
  | "copy"
  | "play"
  | "pause"
  | "grip"
  | "light"
  | "dark"
  | "auto"
  | "leave"
  | "warn"
  | "check"
  | "back"
  | "reset"
  | "lost"
  | "up"
  | "down"
  | "left"
  | "right"
  | "zoomIn"
  | "zoomOut"
  | "plus"

/** A picture beside words, which say the same: it is not read out. */
export const Icon = ({ name }: { readonly name: IconName }) => (
  <svg class="icon" aria-hidden="true">
    <use href={`${sprite}#${name}`} />
  </svg>
)
