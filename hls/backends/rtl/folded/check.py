"""What the folded library has no unit for, found before anything is planned."""

from __future__ import annotations

from bitsmith.hls.backends.rtl.folded.unrolled import UNROLLED, unrolled_problems
from bitsmith.hls.backends.rtl.unrolled.layers import empty_windows
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Problem
from bitsmith.models.ir import QNet
from bitsmith.models.ir.ops import Lut, Op, Pool

MAX_TABLE_BITS = 16


def problems(net: QNet, hw: HwConfig) -> list[Problem]:
    """All problems of ``net`` on ``hw``; empty if it can be emitted."""
    return [p for op in net.ops for p in _problems(net, op)] + _unrolled_problems(net, hw)


def _unrolled_problems(net: QNet, hw: HwConfig) -> list[Problem]:
    """Of ops that the given folding wants unrolled; a name that no op has is the solver's to refuse."""
    asked = [net[name] for name, _, _, *mult in hw.folding if mult == [UNROLLED] and name in net.by_name]
    return [p for op in asked for p in unrolled_problems(op, net[(*op.inputs, op.name)[0]].shape, hw)]


def _problems(net: QNet, op: Op) -> list[Problem]:
    if isinstance(op, Lut) and (bits := net[op.inputs[0]].type.bits) > MAX_TABLE_BITS:
        text = f"a table of {bits} input bits, at most {MAX_TABLE_BITS} are put in memory"
        return [Problem(op.name, text, "requantize its input to fewer bits")]
    if isinstance(op, Pool) and op.mode == "max" and (n := empty_windows(op, net[op.inputs[0]].shape)):
        return [Problem(op.name, f"{n} of its windows hold padding only", "make the padding smaller")]
    return []
