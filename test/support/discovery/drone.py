"""A drone as Skydio's are: transport streams (STANAG 4609's carrier) at 5554 /subject and 6554 /infrared, by GStreamer.

The first has metadata (KLV) beside its pictures, ten packets a second: FOLDER/packets.klv, one after the other. STANAG4609:
the folder of that package, which writes them.
"""

import os
import subprocess
import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
folder = Path(os.environ["FOLDER"])
ffmpeg = ["ffmpeg", "-v", "error", "-nostdin", "-y"]


def video(port, size, seconds):
    file = folder / f"{port}.ts"
    picture = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r=25", "-t", str(seconds)]
    h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "12"]
    subprocess.run([*ffmpeg, *picture, *h264, file], check=True)
    return file


def flight(seconds):
    """A video again and again, with the metadata of 40 seconds."""
    packets, metadata, file = (folder / name for name in ("packets.klv", "metadata.ts", "flight.ts"))
    script = Path(__file__).parent.parent / "klv" / "drone.py"
    subprocess.run([sys.executable, script, "tells", packets, metadata], check=True)
    inputs = ["-stream_loop", str(40 // seconds - 1), "-i", video("5554", "640x480", seconds), "-i", metadata]
    subprocess.run([*ffmpeg, *inputs, "-map", "0:v", "-map", "1:d", "-c", "copy", "-f", "mpegts", file], check=True)
    return file


def serve(port, path, file):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( filesrc location={file} ! tsparse set-timestamps=true ! rtpmp2tpay name=pay0 pt=33 )")
    server = GstRtspServer.RTSPServer()
    server.set_address("0.0.0.0")
    server.set_service(port)
    server.get_mount_points().add_factory(path, factory)
    server.attach(None)
    return server


servers = [serve("5554", "/subject", flight(10)), serve("6554", "/infrared", video("6554", "320x240", 10))]
GLib.MainLoop().run()
