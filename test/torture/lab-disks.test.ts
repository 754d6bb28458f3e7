import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { playInTheLab } from "../suites/inTheLab.ts"

const works = (program: string, arg: string): boolean =>
  spawnSync(program, [arg], { env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin` } }).status === 0

// scripts/setup --for-lab; apt-get install dmsetup
const isPossible = works(join(import.meta.dirname, "../lab/boot"), "--check") && works("dmsetup", "--help")
await playInTheLab("on disks that are slow, or fail", join(import.meta.dirname, "scenarios"), isPossible)
