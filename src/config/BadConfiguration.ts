import * as Schema from "effect/Schema"

const Problem = Schema.Struct({
  /** empty where the whole file is meant */
  key: Schema.String,
  /** as it was given, in JSON's words; empty where it is not told */
  value: Schema.String,
  rule: Schema.String,
  /** `/etc/camera-service.yml:3:9` (line and column), or the variable's name */
  place: Schema.String
})
export type Problem = typeof Problem.Type

/** One problem in a line. */
export const problemText = ({ key, place, rule, value }: Problem): string =>
  [place, key, value, rule].filter((part) => part !== "").join(": ")

/** The configuration breaks rules: each wrong key, its value, its rule and where it stands. Exit status 78. */
export class BadConfiguration extends Schema.TaggedError<BadConfiguration>()("BadConfiguration", {
  problems: Schema.Array(Problem)
}) {
  override get message(): string {
    return `the configuration is refused:\n${this.problems.map((problem) => `  ${problemText(problem)}`).join("\n")}`
  }
}
