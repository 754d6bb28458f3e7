"""Counts each packet to port 7777 that is for no camera, on every interface, and listens there: whoever comes is let in.

http://127.0.0.1:7778/ tells them by address, and what went to cameras by interface; /control goes to each address first.
"""

import contextlib
import ipaddress
import json
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

CANARY = 7777
CAMERAS = {"192.168.42.10", "192.168.1.64", "192.168.1.66"}
FORBIDDEN = [
    "127.0.0.1", "0.0.0.0", "192.168.42.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "239.7.7.7",
    "::1", "::", "::ffff:127.0.0.1", "fd00:ec2::254", "2002:7f00:1::1", "64:ff9b::7f00:1", "2001:db8::1",
]  # fmt: skip
came, to_cameras = {}, {}


def look(packet, interface, protocol):
    if protocol == 0x0800 and packet[9] in (6, 17):
        at = (packet[0] & 15) * 4
        to = packet[16:20]
    elif protocol == 0x86DD and packet[6] in (6, 17):
        at, to = 40, packet[24:40]
    else:
        return
    (port,) = struct.unpack("!H", packet[at + 2 : at + 4])
    address = str(ipaddress.ip_address(to))
    if address in CAMERAS:
        to_cameras.setdefault(address, set()).add(interface)
    elif port == CANARY:
        came[address] = came.get(address, 0) + 1


def watch():
    every = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
    while True:
        packet, (interface, protocol, *_) = every.recvfrom(65536)
        with contextlib.suppress(IndexError, struct.error):
            look(packet, interface, protocol)


def listen():
    server = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind(("::", CANARY))
    server.listen(128)
    while True:
        server.accept()


def go_to(address):
    """By TCP, and by UDP, which alone goes to groups."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(family, kind) as one, contextlib.suppress(OSError):
            one.settimeout(1)
            one.connect((address, CANARY))
            one.send(b"?")


class Tell(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/control":
            for address in FORBIDDEN:
                go_to(address)
        # the last ones are still to be looked at
        time.sleep(0.3)
        told = {"came": came, "to_cameras": {address: sorted(by) for address, by in to_cameras.items()}}
        reply = json.dumps(told).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


for run in (watch, listen):
    threading.Thread(target=run, daemon=True).start()
HTTPServer(("127.0.0.1", 7778), Tell).serve_forever()
