import { Ajv } from "ajv"
import { globSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"

const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "camera-service")

interface Sbom {
  readonly components: ReadonlyArray<{ readonly name: string; readonly version: string }>
}

/** An SBOM, read; dies where CycloneDX 1.6 has it otherwise, licences by SPDX's list among it. */
export const readSbom = (text: string): Sbom => {
  const [folder = ""] = globSync("cyclonedx-python-lib/v*/cyclonedx/schema/_res", { cwd: cache })
  const schema = (name: string) =>
    JSON.parse(readFileSync(join(cache, folder, `${name}.SNAPSHOT.schema.json`), "utf8")) as object
  const ajv = new Ajv({ strict: false, validateFormats: false })
  for (const name of ["spdx", "jsf-0.82"])
    ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`)
  const sbom = JSON.parse(text) as Sbom
  if (!ajv.validate(schema("bom-1.6"), sbom)) throw new Error(`it is no CycloneDX: ${ajv.errorsText()}`)
  return sbom
}
