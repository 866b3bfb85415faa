"""How far each op can be folded, and how many cycles that takes it per frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bitsmith.hls.backends.divisors import divisors
from bitsmith.hls.backends.rtl.folded import matrix
from bitsmith.hls.backends.rtl.folded.blocks import unit_of
from bitsmith.hls.backends.rtl.folded.codebook import Gathering, gathering, suits
from bitsmith.hls.backends.rtl.folded.line_windows import has_lines, line_steps
from bitsmith.hls.backends.rtl.folded.unrolled import UNROLLED, unrolled_fold
from bitsmith.hls.backends.rtl.folded.windows import window_of
from bitsmith.models.ir import QNet
from bitsmith.models.ir.intervals import Interval, intervals
from bitsmith.models.ir.ops import ArgMax, Concat, Conv, Dense, Op, Pad, Pool, Reshape, Shape, Upsample


@dataclass(frozen=True, order=True)
class Fold:
    """``pe`` outputs at a time, each of ``simd`` inputs; ops without a matrix have as many lanes as ``pe`` says.

    More inputs than the channels of a convolution are several taps of its window, which then comes whole.
    ``mult``: products in logic (lut), on multipliers (dsp), two on one (packed); unrolled: one adder graph with all
    weights in it, for all outputs and inputs.
    gather: a sum per codeword of a codebook first, then a multiplication of each.
    ``rom``: weights in block RAM or in logic.
    """

    pe: int
    simd: int = 1
    mult: str = "auto"
    rom: str = "auto"


GATHER = "gather"
MULTS = ("lut", "dsp", "packed")
ROMS = ("logic", "block")

Folding = Mapping[str, Fold]
"""Op name -> its folding, for every op that has units of its own."""


def has_matrix(op: Op) -> bool:
    """Whether ``op`` is folded in two directions."""
    return isinstance(op, Dense | Conv) and not matrix.is_depthwise(unit_of(op))


def legal_folds(net: QNet, op: Op) -> list[Fold]:
    """Every legal folding of ``op``, ascending."""
    if isinstance(op, Dense | Conv):
        x = net[op.inputs[0]]
        pairs = [*matrix.legal_folding(unit_of(op), x), *_whole_windows(op, x.shape)]
        folds = [Fold(*pair, mult, rom) for pair in pairs for mult in MULTS for rom in ROMS]
        found = gathering_of(net, op)
        folds += [Fold(*pair, GATHER) for pair in pairs if found is not None and suits(op, found, pair[1])]
        whole = unrolled_fold(op, x.shape)
        return folds if whole is None else [*folds, Fold(*whole, UNROLLED)]
    return [Fold(lanes) for lanes in divisors(_channels(op, [net[i].shape for i in op.inputs]))]


@lru_cache(maxsize=8)
def _spans(net: QNet) -> dict[str, Interval]:
    return intervals(net)


@lru_cache(maxsize=256)
def gathering_of(net: QNet, op: Dense | Conv) -> Gathering | None:
    """The sums per codeword of a layer with a codebook; None for every other."""
    return gathering(op, _spans(net)[op.inputs[0]])


def _whole_windows(op: Dense | Conv, shape: Shape) -> list[tuple[int, int]]:
    """(pe, simd) of several taps at a time."""
    window = window_of(op, shape)
    if window is None or not isinstance(op, Conv) or op.groups > 1 or not has_matrix(op) or not has_lines(window):
        return []
    work = matrix.work_of(op)
    taps = [t for t in divisors(window.taps) if t > 1]
    return [(pe, work.channels * t) for pe in divisors(work.outputs) for t in taps]


def takes_whole_windows(op: Op, fold: Fold) -> bool:
    """Whether ``op`` reads its windows from line buffers, all taps in a beat."""
    return isinstance(op, Conv) and has_matrix(op) and fold.simd > matrix.work_of(op).channels


def lanes_in(op: Op, fold: Fold) -> int:
    """Lanes in which ``op`` takes its input; a window stands between them and its units."""
    if isinstance(op, Dense | Conv) and has_matrix(op):
        whole = op if fold.mult == UNROLLED else unit_of(op)  # an adder graph leaves the zeros out by itself
        return min(fold.simd, matrix.work_of(whole).channels)
    return fold.pe


def _channels(op: Op, inputs: Sequence[Shape]) -> int:
    """What the lanes of an op without a matrix must divide."""
    if isinstance(op, Concat):
        return math.gcd(*(s[-1] for s in inputs))
    return inputs[0][-1] if isinstance(op, ArgMax) else op.shape[-1]


def cycles_of(net: QNet, op: Op, fold: Fold) -> int:
    """Cycles per frame of the busiest unit of ``op``: no frame can follow another sooner."""
    inputs = [net[i].shape for i in op.inputs]
    window = window_of(op, inputs[0]) if inputs else None
    if isinstance(op, Dense | Conv):
        taken = math.prod(inputs[0]) // lanes_in(op, fold) if window else 0
        if window and takes_whole_windows(op, fold):
            taken = line_steps(window)
        return max(taken, matrix.cycles(unit_of(op), fold.pe, fold.simd))
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
