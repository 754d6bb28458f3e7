"""A client that others made (onvif-zeep-async, with ONVIF's own WSDL): onvif_client.py PORT USER PASSWORD REQUESTS.

Asks the camera at 127.0.0.1:PORT what ours does, and prints what it understood; then reads REQUESTS, a JSON file of
{name, namespace, envelope}, as a camera would that goes by the schema, and prints what is wrong with them.
ONVIF: the folder of its modules.
"""

import asyncio
import json
import os
import sys

sys.path.insert(0, os.environ["ONVIF"])
from lxml import etree  # noqa: E402
from onvif import ONVIFCamera  # noqa: E402
from zeep.exceptions import Error  # noqa: E402

port, user, password, requests = sys.argv[1:]
SERVICES = {"devicemgmt": "device", "media": "media", "ptz": "ptz"}


async def understood(camera):
    await camera.update_xaddrs()
    device = await camera.create_devicemgmt_service()
    media = await camera.create_media_service()
    ptz = await camera.create_ptz_service()
    profiles = await media.GetProfiles()
    token = profiles[-1].token
    setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    stream = await media.GetStreamUri({"ProfileToken": token, "StreamSetup": setup})
    picture = await media.GetSnapshotUri({"ProfileToken": token})
    await media.SetSynchronizationPoint({"ProfileToken": token})
    presets = await ptz.GetPresets({"ProfileToken": token})
    velocity = {"PanTilt": {"x": 0.5, "y": 0}, "Zoom": {"x": 0}}
    await ptz.ContinuousMove({"ProfileToken": token, "Velocity": velocity})
    await ptz.Stop({"ProfileToken": token, "PanTilt": True, "Zoom": True})
    await ptz.GotoPreset({"ProfileToken": token, "PresetToken": presets[0].token})
    return {
        "serial": (await device.GetDeviceInformation()).SerialNumber,
        "profiles": [[one.token, one.Name, one.VideoEncoderConfiguration.Encoding] for one in profiles],
        "stream": stream.Uri,
        "picture": picture.Uri,
        "presets": [[one.token, one.Name] for one in presets],
    }


async def wrong(camera):
    """What each request has that the schema does not, or lacks."""
    schemas = []
    for name in SERVICES:
        service = await getattr(camera, f"create_{name}_service")()
        schemas.append(service.document.types)
    with open(requests, encoding="utf-8") as file:
        for request in json.load(file):
            envelope = etree.fromstring(request["envelope"].encode())
            body = envelope.find("{http://www.w3.org/2003/05/soap-envelope}Body")[0]
            try:
                types = next(one for one in schemas if request["namespace"] in one.namespaces)
                read = types.get_element(etree.QName(body).text).parse(body, types)
                if getattr(read, "_raw_elements", None):
                    yield f"{request['name']}: {[etree.QName(one).localname for one in read._raw_elements]} is unknown"
            except (Error, LookupError, ValueError) as error:
                yield f"{request['name']}: {error!r}"


async def main():
    camera = ONVIFCamera("127.0.0.1", int(port), user, password, os.environ["ONVIF"] + "/onvif/wsdl", adjust_time=True)
    told = await understood(camera)
    print(json.dumps({**told, "wrong": [one async for one in wrong(camera)]}))
    await camera.close()


asyncio.run(main())
