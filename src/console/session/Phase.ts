/** Where the page is with the service. */
export type Phase =
  /** nobody is logged in; `reason`: why the last try was refused */
  | { readonly _tag: "LoggedOut"; readonly reason?: string }
  | { readonly _tag: "Connecting" }
  | { readonly _tag: "Ready" }
  /** it connects anew by itself */
  | { readonly _tag: "Lost"; readonly reason: string }
  /** what was logged in with is not accepted any more: the page stays, and asks for another */
  | { readonly _tag: "Expired"; readonly reason: string }
