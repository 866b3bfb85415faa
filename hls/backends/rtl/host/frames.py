"""Rows of integers as the frames of bytes that a net's AXI4-Stream ports take and give, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bitsmith.hls.backends.rtl.packing import Bytes, pack_rows, unpack_rows
from bitsmith.models.ir.types import IntArray


@dataclass(frozen=True)
class Frames:
    """One side of the manifest's ``stream``: ``beats`` beats a frame, ``lanes`` integers in ``bytes`` bytes a beat."""

    beats: int
    lanes: int
    bits: int
    signed: bool
    bytes: int

    @classmethod
    def of(cls, side: dict[str, Any]) -> Frames:
        """From the manifest."""
        return cls(side["beats"], side["lanes"], side["bits"], side["signed"], side["bytes"])

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return self.beats * self.bytes

    def pack(self, rows: IntArray) -> Bytes:
        """(n, *shape) integers to (n, frame_bytes); lanes that the last beat has too many are zero."""
        flat = np.asarray(rows, np.int64).reshape(len(rows), -1)
        lanes = np.zeros((len(flat), self.beats * self.lanes), np.int64)
        lanes[:, : flat.shape[1]] = flat
        packed = pack_rows(lanes.reshape(-1, self.lanes), self.bits)
        padded = np.zeros((len(packed), self.bytes), np.uint8)
        padded[:, : packed.shape[1]] = packed
        return padded.reshape(len(flat), self.frame_bytes)

    def unpack(self, frames: Bytes, shape: tuple[int, ...]) -> IntArray:
        """(n, frame_bytes) to (n, *shape) integers."""
        flat = unpack_rows(frames.reshape(-1, self.bytes), self.lanes, self.bits, self.signed)
        return flat.reshape(len(frames), -1)[:, : math.prod(shape)].reshape(len(frames), *shape)
