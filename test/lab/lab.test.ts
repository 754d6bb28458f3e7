import { join } from "node:path"
import { playInTheLab } from "../suites/inTheLab.ts"

await playInTheLab("with real V4L2 devices", join(import.meta.dirname, "scenarios"))
