import { say } from "./notices.ts"

/** Browsers give the clipboard to safe origins alone: over plain HTTP the text has to be copied by hand. */
export const copy = async (text: string): Promise<void> => {
  const isCopied = await (navigator.clipboard as Clipboard | undefined)?.writeText(text).then(
    () => true,
    () => false
  )
  say(
    isCopied === true
      ? { kind: "done", what: "Copied." }
      : {
          kind: "failed",
          what: "This browser does not let the page copy.",
          advice: "Mark the text and copy it by hand."
        }
  )
}
