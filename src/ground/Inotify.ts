/**
 * What to do when the kernel gives no watch (inotify(7), inotify_init(2), inotify_add_watch(2)): its errors have the names
 * of other troubles, a full disk and too many open files. Undefined: it is another error.
 */
export const inotifyAdvice = (code: string): string | undefined => {
  const limit = limits[code]
  return limit === undefined ? undefined : `the machine's inotify is used up: raise ${limit} (sysctl)`
}

const limits: Readonly<Record<string, string>> = {
  ENOSPC: "fs.inotify.max_user_watches",
  EMFILE: "fs.inotify.max_user_instances"
}
