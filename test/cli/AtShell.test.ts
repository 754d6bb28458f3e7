import { assert, it } from "@effect/vitest"
import { atShell } from "../../src/cli/AtShell.ts"
import { AuthFailed, DependencyFailed, InvalidState, NotFound, type ServiceError } from "../../schema/Errors.ts"
import { errorData } from "../../src/http/ErrorData.ts"

it("what the service advises names commands of the shell, and none of its methods", () => {
  const errors: ReadonlyArray<ServiceError> = [
    new NotFound({ resource: "camera", id: "camera7" }),
    new NotFound({ resource: "recording", id: "x.mp4" }),
    new AuthFailed({ reason: "the key was revoked" }),
    new InvalidState({ state: "RECORDING", allowed_states: ["STOPPED"] }),
    new InvalidState({ state: "STOPPED", allowed_states: ["RECORDING"] }),
    new InvalidState({ state: "DISCONNECTED", allowed_states: ["CONNECTED"] }),
    ...(["mediamtx", "ffmpeg", "camera", "storage"] as const).map(
      (dependency) => new DependencyFailed({ dependency, detail: "no" })
    )
  ]
  for (const error of errors) {
    const said = atShell(String(errorData(error)["suggestion"]))
    assert.notMatch(said, /[a-z]+_[a-z]+|authenticate/, error._tag)
  }
  assert.strictEqual(
    atShell("There is no camera camera7; get_camera_list tells which cameras there are."),
    "There is no camera camera7; camera-service cameras tells which cameras there are."
  )
})
