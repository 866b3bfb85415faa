"""Rows of integers as the packed bits of a bus, and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir.types import IntArray

Bytes = npt.NDArray[np.uint8]


def row_bytes(size: int, bits: int) -> int:
    """Bytes of a row of ``size`` integers of ``bits`` bits, padded to a whole byte."""
    return (size * bits + 7) // 8


def pack_rows(values: IntArray, bits: int) -> Bytes:
    """(n, size) integers to (n, bytes): element 0 in the lowest bits, little-endian, two's complement."""
    n, size = values.shape
    places = np.arange(bits, dtype=np.int64)
    ones = ((values[:, :, None] >> places) & 1).astype(np.uint8)
    return np.packbits(ones.reshape(n, size * bits), axis=1, bitorder="little")


def unpack_rows(rows: Bytes, size: int, bits: int, signed: bool, start: int = 0) -> IntArray:
    """Inverse of :func:`pack_rows`; the first element begins at bit ``start`` of a row."""
    ones = np.unpackbits(rows, axis=1, bitorder="little")[:, start : start + size * bits]
    weights = np.left_shift(np.int64(1), np.arange(bits, dtype=np.int64))
    if signed:
        weights[-1] = -weights[-1]
    values: IntArray = ones.reshape(len(rows), size, bits).astype(np.int64) @ weights
    return values


def hex_rows(rows: Bytes) -> str:
    """One row per line as hexadecimal digits, the highest first: what ``$readmemh`` takes."""
    return "".join(row[::-1].tobytes().hex() + "\n" for row in rows)
