import { writeFileSync } from "node:fs"
import type { Reporter, TestModule } from "vitest/node"

/**
 * A reporter for `scripts/test`: prints why tests were skipped, and writes `passed failed skipped` to the file named by
 * TALLY_FILE, then what failed, a line each. A file that does not load and an error outside of any test count as
 * failures.
 */
export default class Tally implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<unknown>) {
    let passed = 0
    let skipped = 0
    const failed = errors.map((error) => `outside of a test: ${String(error)}`.split("\n", 1)[0])
    for (const module of modules) {
      const broken = [module, ...module.children.allSuites()].flatMap((around) =>
        around
          .errors()
          .map(() => `${module.relativeModuleId}: ${around.type === "suite" ? around.fullName : "the file"}`)
      )
      failed.push(...broken)
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === "passed") {
          passed += 1
        } else if (result.state === "skipped" && broken.length === 0) {
          skipped += 1
          console.log(`skipped: ${test.fullName}: ${result.note ?? "no reason given"}`)
        } else {
          // failed, or never run because of what is around it
          failed.push(`${module.relativeModuleId}: ${test.fullName}`)
        }
      }
    }
    if (process.env["TALLY_FILE"] !== undefined) {
      writeFileSync(process.env["TALLY_FILE"], [`${passed} ${failed.length} ${skipped}`, ...failed, ""].join("\n"))
    }
  }
}
