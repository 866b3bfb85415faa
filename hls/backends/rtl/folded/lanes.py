"""Parameters of units that have lanes."""

from __future__ import annotations

from collections.abc import Sequence

from bitsmith.hls.backends.rtl.folded.parts import Bits
from bitsmith.models.ir import QuantType
from bitsmith.models.ir.types import IntArray


def folds_of(channels: int, lanes: int, name: str) -> int:
    """Beats that the channels of one place come in."""
    assert channels % lanes == 0, f"{name}: {lanes} lanes do not divide {channels} channels"
    return channels // lanes


def input_widths(types: Sequence[QuantType]) -> dict[str, Bits]:
    """Parameters WX and X_SIGN of a unit with several inputs."""
    signs = sum(t.signed << i for i, t in enumerate(types))
    return {"WX": side_by_side([t.bits for t in types], 32), "X_SIGN": Bits(signs, len(types))}


def side_by_side(values: Sequence[int] | IntArray, bits: int) -> Bits:
    """Integers as one literal, the first in the lowest bits."""
    total = sum((int(v) % (1 << bits)) << (i * bits) for i, v in enumerate(values))
    return Bits(total, bits * len(values))
