/**
 * For Node in the machine: WebAssembly (in Node: what strips types, and fetch's parser) that is compiled anew while it
 * runs has crashed there, in one run of six.
 */
export const emulated: ReadonlyArray<string> = ["--liftoff-only"]
