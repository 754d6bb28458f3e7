"""WS-Discovery by a library that others made (WSDiscovery): a printer, and the camera that ipycam is, by another name.

WSDISCOVERY: the folder of its modules.
"""

import os
import sys
import time

sys.path.insert(0, os.environ["WSDISCOVERY"])
from wsdiscovery import QName, Scope  # noqa: E402
from wsdiscovery.publishing import ThreadedWSPublishing  # noqa: E402

CAMERA = QName("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter")
PRINTER = QName("http://schemas.microsoft.com/windows/2006/08/wdp/print", "PrintDeviceType")


def announce(kind, name, address):
    scopes = [Scope(f"onvif://www.onvif.org/name/{name}"), Scope("onvif://www.onvif.org/type/video_encoder")]
    publishing = ThreadedWSPublishing()
    publishing.start()
    publishing.publishService(types=[kind], scopes=scopes, xAddrs=[address])


announce(CAMERA, "Announced%20by%20others", "http://192.168.1.64:8080/onvif/announced")
announce(PRINTER, "Printer", "http://192.168.1.64:8080/printer")
while True:
    time.sleep(60)
