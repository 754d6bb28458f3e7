let pages = 0

/** A module of the console as each page has it to itself: with what it keeps as it is at first. `path`: in src/console. */
export const moduleOfPage = async <Module>(path: string): Promise<Module> =>
  (await import(/* @vite-ignore */ `../../src/console/${path}?page=${++pages}`)) as Module
