"""A camera at 192.168.1.64: ipycam's ONVIF and WS-Discovery, MediaMTX for its stream, and a picture for who shows a digest.

It takes another address for its own, as cameras do. IPYCAM: the folder of ipycam's modules; FOLDER: where ptz.jsonl is to
tell how it was moved, and when.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USER, PASSWORD = "admin", "canary-of-a-camera"

# what these modules need of the others, which need OpenCV
sys.modules["config"] = types.SimpleNamespace(CameraConfig=object)
sys.path.insert(0, os.environ["IPYCAM"])
from discovery import WSDiscoveryServer  # noqa: E402
from onvif import ONVIFService  # noqa: E402

config = types.SimpleNamespace(
    name="Front%20door", manufacturer="ipycam", model="VirtualCam", serial_number="PY-1", firmware_version="1",
    local_ip="10.9.9.9", onvif_port=8080, onvif_url="http://10.9.9.9:8080/onvif/device_service",
    main_stream_rtsp="rtsp://10.9.9.9:5554/subject", sub_stream_rtsp="rtsp://10.9.9.9:5554/subject",
    main_width=640, main_height=480, main_fps=25, main_bitrate="1M",
    sub_width=320, sub_height=240, sub_fps=25, sub_bitrate="1M",
    snapshot_url="snapshot.jpg", auth_enabled=True, username=USER, password=PASSWORD,
)


class Motor:
    """What ipycam moves: it notes what it is told."""

    def __init__(self):
        self.presets = {"1": types.SimpleNamespace(token="1", name="Gate", pan=0.5, tilt=0.0, zoom=0.0)}
        self.notes = open(os.path.join(os.environ["FOLDER"], "ptz.jsonl"), "w", encoding="utf-8")

    def note(self, *what):
        self.notes.write(json.dumps([round(time.time() * 1000), *what]) + "\n")
        self.notes.flush()

    def continuous_move(self, pan, tilt, zoom):
        self.note("move", pan, tilt, zoom)

    def stop_movement(self, pan_tilt=True, zoom=True):
        self.note("stop", pan_tilt, zoom)

    def get_presets(self):
        return self.presets

    def goto_preset(self, token):
        self.note("goto", token)
        return token in self.presets


onvif = ONVIFService(config, Motor())


PICTURE = subprocess.run(
    ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=800x600", "-frames:v", "1",
     "-f", "image2pipe", "-c:v", "mjpeg", "-"],
    check=True, capture_output=True,
).stdout


def md5(*parts):
    return hashlib.md5(":".join(parts).encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        action = self.headers["Content-Type"].split('action="')[1].strip('"').rsplit("/", 1)[1]
        known = onvif.verify_usernametoken(body)
        reply = (onvif.handle_action(action, body) if known else onvif.fault("Sender not authorized")).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Type", "application/soap+xml; charset=utf-8")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def do_GET(self):
        """A picture, for who is known by HTTP's digest (RFC 7616, MD5, qop auth)."""
        shown = dict(re.findall(r'(\w+)="?([^",]*)', self.headers.get("Authorization", "")))
        part = [shown.get(name, "") for name in ("nonce", "nc", "cnonce", "qop")]
        right = md5(md5(USER, "ipycam", PASSWORD), *part, md5("GET", self.path))
        known = shown.get("nonce") == "once" and shown.get("response") == right
        self.send_response((200 if self.path == "/snapshot.jpg" else 404) if known else 401)
        if not known:
            self.send_header("WWW-Authenticate", 'Digest realm="ipycam", nonce="once", qop="auth"')
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(PICTURE) if known else 0))
        self.end_headers()
        self.wfile.write(PICTURE if known else b"")

    def log_message(self, *_):
        pass


def rtsp(folder):
    settings = {
        "logLevel": "warn", "rtspAddress": ":5554", "rtspTransports": ["tcp"], "rtspAuthMethods": ["digest"],
        "rtmp": False, "hls": False, "webrtc": False, "srt": False, "moq": False,
        "authInternalUsers": [
            {"user": "any", "ips": ["127.0.0.1"], "permissions": [{"action": "publish"}]},
            {"user": USER, "pass": PASSWORD, "permissions": [{"action": "read"}]},
        ],
        "paths": {"all_others": {}},
    }
    file = os.path.join(folder, "mediamtx.yml")
    with open(file, "w", encoding="utf-8") as out:
        json.dump(settings, out)
    subprocess.Popen(["mediamtx", file], stdout=2)
    picture = ["-re", "-f", "lavfi", "-i", "testsrc2=s=640x480:r=25"]
    h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "12"]
    target = ["-f", "rtsp", "-rtsp_transport", "tcp", "rtsp://127.0.0.1:5554/subject"]
    publish = " ".join(["ffmpeg", "-v", "quiet", "-nostdin", *picture, *h264, *target])
    subprocess.Popen(["sh", "-c", f"until {publish}; do sleep 0.1; done"])
    url = f"rtsp://{USER}:{PASSWORD}@127.0.0.1:5554/subject"
    while subprocess.run(["ffprobe", "-v", "quiet", "-rtsp_transport", "tcp", url], check=False).returncode != 0:
        time.sleep(0.1)


with tempfile.TemporaryDirectory() as folder:
    rtsp(folder)
    WSDiscoveryServer(onvif).start()
    ThreadingHTTPServer(("", 8080), Handler).serve_forever()
