import { ServiceError } from "../../schema/Errors.ts"
import { nextStep } from "./NextStep.ts"

/** What a client is told of an error: its fields, without its tag, cause and stack, and what to do next. */
export const errorData = (error: ServiceError): Readonly<Record<string, unknown>> => {
  const data: Record<string, unknown> = {}
  for (const field of fieldsOf[error._tag]) data[field] = (error as unknown as Record<string, unknown>)[field]
  if (error._tag !== "InvalidParams") data["suggestion"] ??= nextStep(error)
  return data
}

const fieldsOf = Object.fromEntries(
  ServiceError.members.map((member) => [
    member.fields._tag.schema.literal,
    Object.keys(member.fields).filter((field) => field !== "_tag")
  ])
) as unknown as Readonly<Record<ServiceError["_tag"], ReadonlyArray<string>>>
