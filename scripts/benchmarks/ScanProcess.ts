import { frame, startLoad } from "./Load.ts"
import { makeGround, startService } from "./Service.ts"
import { percentile, summary } from "./Statistics.ts"

/** Runs in a network of its own, where nobody answers; what it measures stands on its last line, for `Scan.ts`. */

const connections = 1000
const seconds = 6

using ground = await makeGround({ CAMERAS_SYNTHETIC: 10 })
await using service = startService(ground)
await service.ready()
using rpc = await service.connect()
using load = startLoad()
await load.open({ url: service.url, token: ground.token, connections })
const methods = [frame("get_camera_list"), frame("get_system_status")]
await load.paced(3, methods)
const scanning = rpc.call("discover_external_streams", { onvif_enabled: false })
const samples = await load.paced(seconds, methods)
const { scan_duration: duration } = (await scanning) as { readonly scan_duration: string }
console.log(
  JSON.stringify({ seconds: Number.parseFloat(duration), p99: percentile(samples, 0.99), detail: summary(samples) })
)
