"""The bytes of the host link, as ``docs/host.md`` specifies them; knows neither ports nor nets."""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass

VERSION = 1
REQUEST, RESPONSE = 0xB5, 0x5B
IDENTIFY, INFER = 0x01, 0x02
OK, BAD_CRC, UNKNOWN = 0x00, 0x01, 0x02
SELF_TEST_FAILED = 0x80
"""Bit of every status byte, beside the error."""

HASH_BYTES = 8
CRC_BYTES = 2
CYCLES_BYTES = 4
MAX_FRAME = (1 << 24) - 1

_IDENTITY = struct.Struct("<B8s3s3sI")
IDENTITY_BYTES = _IDENTITY.size


def crc16(data: bytes) -> int:
    """CRC-16/IBM-3740 (also called CCITT-FALSE): polynomial 0x1021, start value 0xFFFF, nothing reflected."""
    return binascii.crc_hqx(data, 0xFFFF)


def sealed(data: bytes) -> bytes:
    """``data`` followed by its CRC, high byte first."""
    return data + crc16(data).to_bytes(CRC_BYTES, "big")


def request(command: int, payload: bytes = b"") -> bytes:
    """A request as it goes over the line."""
    return bytes([REQUEST]) + sealed(bytes([command]) + payload)


@dataclass(frozen=True)
class Identity:
    """What a board says of itself; ``clock_hz`` is that of the net."""

    version: int
    net_hash: bytes  # the first bytes of the net's content hash
    in_frame: int  # bytes
    out_frame: int  # bytes
    clock_hz: int

    def encode(self) -> bytes:
        """As in the board's ROM: little-endian."""
        sizes = (size.to_bytes(3, "little") for size in (self.in_frame, self.out_frame))
        return _IDENTITY.pack(self.version, self.net_hash, *sizes, self.clock_hz)

    @classmethod
    def decode(cls, data: bytes) -> Identity:
        """Inverse of :meth:`encode`."""
        version, net_hash, in_frame, out_frame, clock_hz = _IDENTITY.unpack(data)
        return cls(version, net_hash, int.from_bytes(in_frame, "little"), int.from_bytes(out_frame, "little"), clock_hz)
