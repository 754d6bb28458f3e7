"""A camera that is announced by a library that others made (WSDiscovery, in the folder of that name), and tells nobody more."""

import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

sys.path.insert(0, os.environ["WSDISCOVERY"])
from wsdiscovery import QName, Scope  # noqa: E402
from wsdiscovery.publishing import ThreadedWSPublishing  # noqa: E402


class Locked(BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


publishing = ThreadedWSPublishing()
publishing.start()
publishing.publishService(
    types=[QName("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter")],
    scopes=[Scope("onvif://www.onvif.org/name/Announced%20by%20others")],
    xAddrs=["http://192.168.1.64:8081/onvif/device_service"],
)
HTTPServer(("", 8081), Locked).serve_forever()
