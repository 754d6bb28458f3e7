"""Packets of MISB ST 0601 that stanag4609 (PyPI) writes, and what it and klvdata (PyPI) read in them: vectors.py > JSON.

KLVDATA, STANAG4609: the folders of their modules.
"""

import json
import os
import random
import sys
from datetime import datetime, timedelta, timezone
from fractions import Fraction

sys.path[:0] = [os.environ["KLVDATA"], os.environ["STANAG4609"]]
import klvdata  # noqa: E402
from stanag4609 import st0102, st0601  # noqa: E402
from stanag4609.transport.mux import TransportMuxer  # noqa: E402
from stanag4609.transport.psi import Descriptor, ElementaryStreamInfo  # noqa: E402

MAPPED = [5, 6, 7, *range(13, 34), 75, 78, *range(82, 92)]
# floating point numbers of any length
FLOATS = [96, 104]
TEXTS = (3, 4, 10, 11, 12, 59)
chance = random.Random(7)


def security():
    local = st0102.encode_security_local_set(
        {1: 2, 2: 14, 3: "//USA", 5: "FOR TEST", 12: 14, 13: "USA;DEU", 22: 12},
        context=st0102.SecurityMarkingContext(caveats=True),
    )
    return st0102.decode_security_local_set(local, standalone=False)


def packet(number):
    time = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc) + timedelta(microseconds=33_367 * number)
    values = {2: time, 65: 19}
    for tag in MAPPED:
        if chance.random() < 0.2:
            continue
        field = st0601.FIELD_DEFINITIONS[tag]
        low, high = field.physical_min, field.physical_max
        share = chance.choice([Fraction(0), Fraction(1), Fraction(chance.random()), Fraction(chance.random())])
        values[tag] = low + (high - low) * share
    for tag in TEXTS:
        if chance.random() < 0.7:
            values[tag] = chance.choice(["MISSION 01", "Skydio X10", "EO Nose", "Geodetic WGS84"])
    if number % 4 == 0:
        values[96] = st0601.IMAPFieldValue(1_500_000 * chance.random(), chance.choice([3, 4]))
        values[104] = st0601.IMAPFieldValue(-900 + 40_900 * chance.random(), chance.choice([3, 4]))
    if number % 3 == 0:
        values[48] = security()
    return st0601.encode_uas_local_set(values)


def plain(value):
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (int, str)):
        return value
    if isinstance(value, st0601.IMAPFieldValue):
        value = value.value
    return None if isinstance(value, st0601.SpecialValue) else float(value)


def by_stanag4609(data):
    read = st0601.decode_uas_local_set(data)
    wanted = {field.definition.tag: plain(field.value) for field in read.fields if field.definition.tag in (*MAPPED, *FLOATS, *TEXTS, 2, 65)}
    nested = [field.value for field in read.fields if field.definition.tag == 48]
    return {
        "values": wanted,
        "security": {field.tag: field.value for held in nested for field in held.fields},
    }


def by_klvdata(data):
    """It reads tags up to 59, and nothing of a packet with floating point numbers in it: an empty answer."""
    if any(st0601.decode_uas_local_set(data).local_set.getall(tag) for tag in FLOATS):
        return {"values": {}}
    [read] = klvdata.StreamParser(data)
    values = {}
    for key, item in read.items.items():
        tag = int.from_bytes(key, "big")
        if tag in (*range(3, 34), 59) and hasattr(item, "value"):
            value = item.value.value
            values[tag] = value if isinstance(value, str) else float(value)
    return {"values": {tag: value for tag, value in values.items() if tag in (*MAPPED, *TEXTS)}}


def transports(packets):
    """The same packets in a transport stream: as private data, and in metadata access unit cells."""
    registration = Descriptor(0x05, b"KLVA")
    metadata = Descriptor(0x26, bytes([0x01, 0x00, 0xFF]) + b"KLVA" + bytes([0, 0x0F]))
    std = Descriptor(0x27, bytes([0xC0, 0, 0, 0xC0, 0, 0, 0xC0, 0, 0]))
    kinds = {
        "async": ElementaryStreamInfo(0x06, 0x102, (registration,)),
        "sync": ElementaryStreamInfo(0x15, 0x102, (metadata, std)),
    }
    video = ElementaryStreamInfo(0x1B, 0x101, ())
    written = {}
    for kind, stream in kinds.items():
        muxer = TransportMuxer(
            transport_stream_id=1, program_number=1, program_map_pid=0x100, pcr_pid=0x101, streams=(video, stream)
        )
        parts = list(muxer.program_tables())
        for number, data in enumerate(packets):
            if kind == "async":
                parts += muxer.mux_async_klv(0x102, data)
            else:
                parts += muxer.mux_sync_klv(0x102, data, pts=90_000 + 3003 * number)
        written[kind] = b"".join(parts).hex()
    return written


packets = [packet(number) for number in range(60)]
told = [{"hex": one.hex(), "stanag4609": by_stanag4609(one), "klvdata": by_klvdata(one)} for one in packets]
json.dump({"packets": told, "transports": transports(packets)}, sys.stdout, default=plain)
