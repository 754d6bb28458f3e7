import type { CameraId } from "../../schema/Camera.ts"
import { InvalidParams } from "../../schema/Errors.ts"
import type { RetentionPolicy } from "../../schema/Storage.ts"
import type { Live } from "../config/LiveSettings.ts"
import { dayMillis } from "../ground/Time.ts"
import type { Limits, Rule, Rules } from "./RetentionPlan.ts"

/** From what an operator has configured and an admin has set to the rules of retention. Pure. */

/** The policies that were set: each takes the place of the settings' limits, of all files or of one camera's. */
export interface Policies {
  readonly all: RetentionPolicy | undefined
  readonly cameras: Readonly<Record<CameraId, RetentionPolicy>>
}

export const noPolicies: Policies = { all: undefined, cameras: {} }

/** Where it cannot be known what may be deleted. */
export const keepAll: Policies = { all: { policy_type: "manual", enabled: false }, cameras: {} }

/** As df -h counts. */
const gigabyte = 1024 ** 3

const limits = (days: number | undefined, gigabytes: number | undefined): Limits => ({
  maxAgeMillis: days === undefined ? undefined : days * dayMillis,
  maxBytes: gigabytes === undefined ? undefined : gigabytes * gigabyte
})

export const noLimits = limits(undefined, undefined)

/** As `set_retention_policy` takes them. */
export const limitsView = ({ maxAgeMillis, maxBytes }: Limits) => ({
  ...(maxAgeMillis === undefined ? {} : { max_age_days: maxAgeMillis / dayMillis }),
  ...(maxBytes === undefined ? {} : { max_size_gb: maxBytes / gigabyte })
})

/** `camera0=7`; of two for one camera the last counts. */
const byCamera = (amounts: ReadonlyArray<string>): ReadonlyMap<CameraId, number> =>
  new Map(amounts.map((text) => [text.slice(0, text.indexOf("=")), Number(text.slice(text.indexOf("=") + 1))]))

/** `isAsked`: by a call of cleanup_old_files. */
const ruleOf = (policy: RetentionPolicy | undefined, configured: Limits, isAsked: boolean): Rule => {
  if (policy === undefined) return configured
  const { enabled, max_age_days, max_size_gb, policy_type } = policy
  if (!enabled || (policy_type === "manual" && !isAsked)) return "KEPT"
  if (policy_type === "age") return limits(max_age_days, undefined)
  if (policy_type === "size") return limits(undefined, max_size_gb)
  return max_age_days === undefined && max_size_gb === undefined ? configured : limits(max_age_days, max_size_gb)
}

export const rulesOf = (settings: Live["storage"], policies: Policies, isAsked: boolean): Rules => {
  const days = byCamera(settings.camera_max_age_days)
  const gigabytes = byCamera(settings.camera_max_size_gb)
  const maxAgeDays = settings.max_age_days || undefined
  const cameras = new Set([...days.keys(), ...gigabytes.keys(), ...Object.keys(policies.cameras)])
  const all = ruleOf(policies.all, limits(maxAgeDays, settings.max_size_gb || undefined), isAsked)
  const own = [...cameras].map((camera): readonly [CameraId, Rule] => {
    // a camera of which only the size is configured has the age of all
    const common = all === "KEPT" ? undefined : all.maxAgeMillis
    const { maxAgeMillis = common, maxBytes } = limits(days.get(camera), gigabytes.get(camera))
    return [camera, ruleOf(policies.cameras[camera], { maxAgeMillis, maxBytes }, isAsked)]
  })
  return { all, own: new Map(own) }
}

/** What a policy lacks to say anything. */
export const flawOf = ({ enabled, max_age_days, max_size_gb, policy_type }: RetentionPolicy) => {
  const missing = (param: string, hint: string) =>
    new InvalidParams({ param, rule: `there for policy_type ${policy_type}`, hint })
  if (!enabled) return undefined
  if (policy_type === "age" && max_age_days === undefined) return missing("max_age_days", "such as 30")
  if (policy_type === "size" && max_size_gb === undefined) return missing("max_size_gb", "such as 100")
  return undefined
}

const limitTexts = (rule: Limits, what: string): ReadonlyArray<string> => [
  ...(rule.maxAgeMillis === undefined ? [] : [`${what} older than ${rule.maxAgeMillis / dayMillis} days are deleted`]),
  ...(rule.maxBytes === undefined
    ? []
    : [`the oldest ${what} are deleted where there is more than ${rule.maxBytes / gigabyte} GB`])
]

const textOf = (rule: Rule, what: string): ReadonlyArray<string> => {
  if (rule === "KEPT") return [`${what} are not deleted by themselves`]
  const texts = limitTexts(rule, what)
  return texts.length === 0 ? [`no limit is set for ${what}`] : texts
}

const filesOf = (camera: CameraId): string => `files of ${camera}`

/** What is deleted, for people. */
export const describeRules = ({ all, own }: Rules, { delete_percent }: Live["storage"]): string =>
  [
    ...textOf(all, "files"),
    ...[...own].flatMap(([camera, rule]) => textOf(rule, filesOf(camera))),
    ...(delete_percent === 0 ? [] : [`the oldest go where more than ${delete_percent} % of the disk is used`])
  ].join("; ")

/** What a policy that was just set does. */
export const describePolicy = (policy: RetentionPolicy, device: CameraId | undefined): string => {
  const what = device === undefined ? "files" : filesOf(device)
  if (!policy.enabled) return `${what} are not deleted`
  if (policy.policy_type === "manual") return `${what} are deleted only when somebody cleans up`
  return textOf(ruleOf(policy, noLimits, false), what).join("; ")
}
