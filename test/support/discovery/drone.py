"""A drone as Skydio's are: transport streams (STANAG 4609's carrier) at 5554 /subject and 6554 /infrared, by GStreamer."""

import os
import subprocess

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)


def serve(port, path, size):
    file = os.path.join(os.environ["FOLDER"], f"{port}.ts")
    picture = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r=25", "-t", "10"]
    h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "12"]
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *picture, *h264, file], check=True)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( filesrc location={file} ! tsparse set-timestamps=true ! rtpmp2tpay name=pay0 pt=33 )")
    server = GstRtspServer.RTSPServer()
    server.set_address("0.0.0.0")
    server.set_service(port)
    server.get_mount_points().add_factory(path, factory)
    server.attach(None)
    return server


servers = [serve("5554", "/subject", "640x480"), serve("6554", "/infrared", "320x240")]
GLib.MainLoop().run()
