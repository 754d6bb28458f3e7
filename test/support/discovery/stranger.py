"""A machine in the network that sends whoever asks it to where no camera may be, in all the ways there are.

RTSP redirects, ONVIF's addresses, WS-Discovery's addresses, and names that change what they stand for.
"""

import itertools
import re
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer

HERE = "192.168.1.66"
CANARY = 7777
FORBIDDEN = ["127.0.0.1", "169.254.169.254", "[::1]", "192.168.42.1", "[::ffff:127.0.0.1]", "[fd00:ec2::254]"]
forbidden = itertools.cycle(FORBIDDEN)


def redirects(handler):
    return f"302 Found\r\nLocation: rtsp://{next(forbidden)}:{CANARY}/live"


class Rtsp(StreamRequestHandler):
    def handle(self):
        while True:
            lines = []
            while (line := self.rfile.readline().decode().strip()) != "":
                lines.append(line)
            if not lines:
                return
            number = next((line[5:].strip() for line in lines if line.lower().startswith("cseq:")), "1")
            status = "200 OK" if lines[0].startswith("OPTIONS") else self.server.says(self)
            self.wfile.write(f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n\r\n".encode())


def rtsp(port, says):
    ThreadingTCPServer.allow_reuse_address = True
    server = ThreadingTCPServer((HERE, port), Rtsp)
    server.daemon_threads = True
    server.says = says
    threading.Thread(target=server.serve_forever, daemon=True).start()


SOAP = '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>{}</e:Body></e:Envelope>'
ENCODER = "<VideoEncoderConfiguration><Encoding>H264</Encoding></VideoEncoderConfiguration>"


def service(namespace, port):
    address = f"http://{next(forbidden)}{port}/onvif/service"
    return f"<Service><Namespace>http://www.onvif.org/{namespace}/wsdl</Namespace><XAddr>{address}</XAddr></Service>"


class Onvif(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        call = re.search(r"<s:Body><(\w+)", body).group(1)
        answers = {
            "GetServices": lambda: service("ver10/media", "") + service("ver20/ptz", f":{CANARY}"),
            "GetProfiles": lambda: f'<Profiles token="p"><PTZConfiguration/>{ENCODER}</Profiles>',
            "GetStreamUri": lambda: f"<MediaUri><Uri>rtsp://{next(forbidden)}:{CANARY}/live</Uri></MediaUri>",
            "GetDeviceInformation": lambda: "<SerialNumber>S-1</SerialNumber>",
        }
        answer = answers.get(call, lambda: "")()
        reply = SOAP.format(f"<{call}Response>{answer}</{call}Response>").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_):
        pass


def matches(relates_to, endpoint, addresses):
    return (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Header>'
        f"<RelatesTo>{relates_to}</RelatesTo></e:Header><e:Body><ProbeMatches><ProbeMatch>"
        f"<EndpointReference><Address>urn:uuid:{endpoint}</Address></EndpointReference>"
        "<Types>dn:NetworkVideoTransmitter</Types><Scopes>onvif://www.onvif.org/name/Stranger</Scopes>"
        f"<XAddrs>{addresses}</XAddrs></ProbeMatch></ProbeMatches></e:Body></e:Envelope>"
    ).encode()


def ws_discovery():
    heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    heard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    heard.bind(("", 3702))
    group = socket.inet_aton("239.255.255.250") + socket.inet_aton(HERE)
    heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    said = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    said.bind((HERE, 0))
    # one that is in no network of the client's
    elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    elsewhere.bind(("10.7.7.7", 0))
    while True:
        message, client = heard.recvfrom(65536)
        found = re.search(rb"MessageID>([^<]+)<", message)
        # others in its network say hello
        if found is None or b"/Probe<" not in message:
            continue
        relates_to = found.group(1).decode()
        addresses = " ".join(f"http://{host}:{CANARY}/onvif/device_service" for host in FORBIDDEN)
        said.sendto(matches(relates_to, "addresses", addresses), client)
        said.sendto(matches(relates_to, "services", f"{addresses} http://{HERE}/onvif/device_service"), client)
        elsewhere.sendto(matches(relates_to, "elsewhere", "http://10.7.7.7/onvif/device_service"), client)


A, AAAA = 1, 28
asked = {}
NAMES = {
    ("both.test", A): [HERE, "127.0.0.1"],
    ("metadata.test", A): ["169.254.169.254"],
    ("mapped.test", AAAA): ["::ffff:127.0.0.1"],
    ("6to4.test", AAAA): ["2002:7f00:1::1"],
    ("nat64.test", AAAA): ["64:ff9b::7f00:1"],
}


def stands_for(name, kind):
    """rebind.test is here when it is asked for the first time, and the client itself from then on."""
    if (name, kind) == ("rebind.test", A):
        asked[name] = asked.get(name, 0) + 1
        return [HERE if asked[name] == 1 else "127.0.0.1"]
    return NAMES.get((name, kind), [])


def names():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((HERE, 53))
    while True:
        message, client = server.recvfrom(512)
        at, labels = 12, []
        while (length := message[at]) > 0:
            labels.append(message[at + 1 : at + 1 + length].decode())
            at += 1 + length
        (kind,) = struct.unpack("!H", message[at + 1 : at + 3])
        found = stands_for(".".join(labels), kind)
        family = socket.AF_INET if kind == A else socket.AF_INET6
        packed = [socket.inet_pton(family, address) for address in found]
        answers = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(data)) + data for data in packed)
        head = message[:2] + struct.pack("!HHHHH", 0x8400, 1, len(found), 0, 0)
        server.sendto(head + message[12 : at + 5] + answers, client)


# as the far side of a router would have it
import subprocess  # noqa: E402

subprocess.run(["ip", "address", "add", "10.7.7.7/32", "dev", "far"], check=True)
rtsp(554, redirects)
rtsp(CANARY, lambda _: "404 Not Found")
for run in (ws_discovery, names):
    threading.Thread(target=run, daemon=True).start()
ThreadingHTTPServer((HERE, 80), Onvif).serve_forever()
