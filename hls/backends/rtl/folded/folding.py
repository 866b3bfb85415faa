"""How far each op can be folded, and how many cycles that takes it per frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bitsmith.hls.backends.rtl.folded import matrix
from bitsmith.hls.backends.rtl.folded.windows import window_of
from bitsmith.models.ir import QNet
from bitsmith.models.ir.ops import ArgMax, Concat, Conv, Dense, Op, Pad, Pool, Reshape, Shape, Upsample


@dataclass(frozen=True, order=True)
class Fold:
    """``pe`` outputs at a time, each of ``simd`` inputs; ops without a matrix have as many lanes as ``pe`` says.

    ``mult``: products in logic (lut), on multipliers (dsp), two on one (packed).
    ``rom``: weights in block RAM or in logic.
    """

    pe: int
    simd: int = 1
    mult: str = "auto"
    rom: str = "auto"


MULTS = ("lut", "dsp", "packed")
ROMS = ("logic", "block")

Folding = Mapping[str, Fold]
"""Op name -> its folding, for every op that has units of its own."""


def has_matrix(op: Op) -> bool:
    """Whether ``op`` is folded in two directions."""
    return isinstance(op, Dense | Conv) and not matrix.is_depthwise(op)


def legal_folds(net: QNet, op: Op) -> list[Fold]:
    """Every legal folding of ``op``, ascending."""
    if isinstance(op, Dense | Conv):
        pairs = matrix.legal_folding(op, net[op.inputs[0]])
        return [Fold(*pair, mult, rom) for pair in pairs for mult in MULTS for rom in ROMS]
    return [Fold(lanes) for lanes in divisors(_channels(op, [net[i].shape for i in op.inputs]))]


def _channels(op: Op, inputs: Sequence[Shape]) -> int:
    """What the lanes of an op without a matrix must divide."""
    if isinstance(op, Concat):
        return math.gcd(*(s[-1] for s in inputs))
    return inputs[0][-1] if isinstance(op, ArgMax) else op.shape[-1]


def divisors(n: int) -> list[int]:
    """In ascending order."""
    small = [d for d in range(1, math.isqrt(n) + 1) if n % d == 0]
    return sorted({*small, *(n // d for d in small)})


def cycles_of(net: QNet, op: Op, fold: Fold) -> int:
    """Cycles per frame of the busiest unit of ``op``: no frame can follow another sooner."""
    inputs = [net[i].shape for i in op.inputs]
    window = window_of(op, inputs[0]) if inputs else None
    if isinstance(op, Dense | Conv):
        lanes = fold.simd if has_matrix(op) else fold.pe
        taken = math.prod(inputs[0]) // lanes if window else 0
        return max(taken, matrix.cycles(op, fold.pe, fold.simd))
    made = math.prod(op.shape)
    if isinstance(op, ArgMax):
        return math.prod(inputs[0]) // fold.pe
    walked = made * (window.taps if window else 1)
    taken = math.prod(inputs[0]) if window else 0
    return max(walked, taken) // fold.pe


def is_unit(net: QNet, op: Op) -> bool:
    """Whether ``op`` is hardware of its own: a reshape, or a window of single places, is none."""
    if isinstance(op, Reshape):
        return False
    return not isinstance(op, Pool | Pad | Upsample) or window_of(op, net[op.inputs[0]].shape) is not None
