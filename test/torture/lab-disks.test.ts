import { join } from "node:path"
import { playInTheLab } from "../suites/inTheLab.ts"

await playInTheLab("on disks that are slow, or fail", join(import.meta.dirname, "scenarios"))
