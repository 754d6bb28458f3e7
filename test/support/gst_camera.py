"""A camera played by GStreamer's RTSP server, with Digest: gst_camera.py PORT USER PASSWORD PIPELINE, at /subject."""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

port, user, password, pipeline = sys.argv[1:]
Gst.init(None)

token = GstRtspServer.RTSPToken()
token.set_string("media.factory.role", "viewer")
auth = GstRtspServer.RTSPAuth()
auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
auth.add_digest(user, password, token)

permissions = GstRtspServer.RTSPPermissions()
for right in ("access", "construct"):
    permissions.add_permission_for_role("viewer", f"media.factory.{right}", True)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(pipeline)
# each session begins with the first keyframe
factory.set_shared(False)
factory.set_permissions(permissions)

server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
server.set_auth(auth)
server.get_mount_points().add_factory("/subject", factory)
server.attach(None)
GLib.MainLoop().run()
