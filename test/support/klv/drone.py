"""A drone's metadata in transport streams; STANAG4609: the folder of that package.

drone.py tells PACKETS TRANSPORT_STREAM: ten packets of MISB ST 0601 a second, 40 seconds of them, and the same one after
the other. drone.py synchronous FLIGHT PACKETS TRANSPORT_STREAM: FFmpeg's transport stream of a video and of these packets,
with the packets in metadata access unit cells, which FFmpeg does not write.
"""

import os
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path[:0] = [os.environ["STANAG4609"]]
from stanag4609 import st0601  # noqa: E402
from stanag4609.transport.mux import TransportMuxer, encode_pes_packet  # noqa: E402
from stanag4609.transport.psi import Descriptor, ElementaryStreamInfo  # noqa: E402

REGISTRATION = Descriptor(0x05, b"KLVA")
METADATA = Descriptor(0x26, bytes([0x01, 0x00, 0xFF]) + b"KLVA" + bytes([0, 0x0F]))
STD = Descriptor(0x27, bytes([0xC0, 0, 0] * 3))
PACKET = 188


def tells(packets_path, transport_path):
    klv = ElementaryStreamInfo(0x06, 0x102, (REGISTRATION,))
    muxer = TransportMuxer(
        transport_stream_id=1, program_number=1, program_map_pid=0x100, pcr_pid=0x102, streams=(klv,)
    )
    packets, transport = [], []
    for number in range(400):
        values = {
            2: datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc) + timedelta(milliseconds=100 * number),
            3: "MISSION 01", 5: number % 360, 13: 48.1 + number / 1e4, 14: 11.5 + number / 1e4, 15: 600, 65: 19,
        }
        packets.append(st0601.encode_uas_local_set(values))
        transport += muxer.program_tables()
        pes = encode_pes_packet(packets[-1], stream_id=0xBD, pts=9000 * number, data_alignment_indicator=True)
        transport += muxer.mux_pes(0x102, pes)
    Path(packets_path).write_bytes(b"".join(packets))
    Path(transport_path).write_bytes(b"".join(transport))


def timestamp(packet):
    """Of the packetized elementary stream packet that begins in it."""
    at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0) + 9
    high, *rest = packet[at : at + 5]
    return (high >> 1 & 7) << 30 | rest[0] << 22 | rest[1] >> 1 << 15 | rest[2] << 7 | rest[3] >> 1


def synchronous(flight_path, packets_path, transport_path):
    flight, packets = Path(flight_path).read_bytes(), Path(packets_path).read_bytes()
    # where FFmpeg puts its map, the first stream and the second one
    map_pid, video_pid, klv_pid = 0x1000, 0x100, 0x101
    muxer = TransportMuxer(
        transport_stream_id=1, program_number=1, program_map_pid=map_pid, pcr_pid=video_pid,
        streams=(
            ElementaryStreamInfo(0x1B, video_pid, ()),
            ElementaryStreamInfo(0x15, klv_pid, (METADATA, STD)),
        ),
    )
    written, next_packet = [], 0
    for start in range(0, len(flight), PACKET):
        packet = flight[start : start + PACKET]
        pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
        if pid == map_pid:
            written += muxer.program_tables()
        elif pid == video_pid:
            written.append(packet)
        elif pid == klv_pid and packet[1] & 0x40 and next_packet < len(packets):
            end = next_packet + 17 + packets[next_packet + 16]
            written += muxer.mux_sync_klv(klv_pid, packets[next_packet:end], pts=timestamp(packet))
            next_packet = end
    Path(transport_path).write_bytes(b"".join(written))


{"tells": tells, "synchronous": synchronous}[sys.argv[1]](*sys.argv[2:])
