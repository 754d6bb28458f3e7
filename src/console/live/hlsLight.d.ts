/** The same player without what a camera's stream has no use for; its authors ship it without types of its own. */
declare module "hls.js/light" {
  export { default } from "hls.js"
}
