#!/usr/bin/env python3
"""A client in Python: Debian's python3-websockets, or `pip install websockets`."""

import asyncio
import itertools
import json
import os
import urllib.request

import websockets

URL = os.environ.get("CAMERA_URL", "ws://127.0.0.1:8002/ws")
TOKEN = os.environ.get("CAMERA_TOKEN", "")


class Client:
    def __init__(self, socket):
        self.socket = socket
        self.ids = itertools.count(1)

    async def call(self, method, **params):
        """The result; what the service tells unasked in the meantime is printed."""
        call = next(self.ids)
        await self.socket.send(json.dumps({"jsonrpc": "2.0", "id": call, "method": method, "params": params}))
        while True:
            message = json.loads(await self.socket.recv())
            if "method" in message:
                print("told", message["method"])
            elif message["id"] == call:
                if "error" in message:
                    raise RuntimeError(message["error"])
                return message["result"]


async def main():
    async with websockets.connect(URL) as socket:
        client = Client(socket)
        await client.call("authenticate", auth_token=TOKEN)
        for camera in (await client.call("get_camera_list"))["cameras"]:
            print(camera["device"], camera["status"], camera["name"])
        picture = await client.call("take_snapshot", device="camera0")
        listed = (await client.call("list_snapshots", device="camera0"))["files"][0]

    with urllib.request.urlopen(listed["download_url"]) as reply:
        print("downloaded", len(reply.read()) == picture["file_size"], listed["filename"])


asyncio.run(main())
