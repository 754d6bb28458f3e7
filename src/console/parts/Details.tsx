import type { ComponentChildren } from "preact"

/** What few want to read, behind a press: fingers and keys open no tooltip. */
export const Details = ({ children, name }: { readonly name: string; readonly children: ComponentChildren }) => (
  <details class="details">
    <summary>{name}</summary>
    {children}
  </details>
)
