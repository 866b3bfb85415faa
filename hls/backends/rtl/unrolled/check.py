"""What stands in the way of unrolling a net, found before anything is solved."""

from __future__ import annotations

import math

from bitsmith.hls.backends.rtl.unrolled.adder_graph import signed_digits
from bitsmith.hls.backends.rtl.unrolled.costs import FAMILIES, Delays, delays_of
from bitsmith.hls.backends.rtl.unrolled.layers import empty_windows
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Problem
from bitsmith.models.ir import QNet
from bitsmith.models.ir.ops import Add, Conv, Dense, Lut, Op, Pool, Requant

MAX_UNIT_DIGITS = 60_000
"""Signed digits of one matrix: what the solver takes in minutes."""

MAX_COPIED_DIGITS = 400_000
"""Signed digits of a layer over all its places: beyond the largest device here, and slow to simulate."""

MAX_ELEMENTS = 100_000
MAX_TABLE_BITS = 12
REMEDY = "use the backend rtl-folded or hls4ml, or make the net smaller (fewer bits, more zeros, smaller layers)"


def problems(net: QNet, hw: HwConfig) -> list[Problem]:
    """All problems of ``net`` on ``hw``; empty if it can be emitted."""
    found = [p for op in net.ops for p in _size_problems(net, op)]
    device = hw.board.device
    delays = delays_of(device)
    if delays is None:
        known = ", ".join(sorted(FAMILIES))
        text = f"no delay table for the family {device.family} of {device.name}"
        found.append(Problem(net.output.name, text, f"choose a board of one of the families {known}"))
    else:
        found += [p for op in net.ops for p in clock_problems(op, hw, delays)]
    return found


def clock_problems(op: Op, hw: HwConfig, delays: Delays) -> list[Problem]:
    """An addition is never cut, so the widest of an op limits the clock."""
    if not isinstance(op, Dense | Conv | Add | Requant):
        return []
    return addition_problems(op.name, op.type.bits, hw, delays)


def addition_problems(name: str, bits: int, hw: HwConfig, delays: Delays) -> list[Problem]:
    """The clock is too fast for an addition of ``bits`` bits, register to register."""
    need_ns = delays.register_ns + delays.carry_ns + bits * delays.carry_bit_ns
    if need_ns <= hw.clock_ns:
        return []
    text = f"an addition of {bits} bits takes {need_ns:.2f} ns on {hw.board.device.name}"
    text += f", the period is {hw.clock_ns:.2f} ns"
    # rounded down: what the text asks for is to be possible
    return [Problem(name, text, f"ask for at most {math.floor(1e3 / need_ns)} MHz, or fewer bits")]


def _size_problems(net: QNet, op: Op) -> list[Problem]:
    found = []
    size = math.prod(op.shape)
    if size > MAX_ELEMENTS:
        found.append(Problem(op.name, f"{size} values side by side, at most {MAX_ELEMENTS} are unrolled", REMEDY))
    if isinstance(op, Dense | Conv):
        digits, places = signed_digits(op.weight), size // op.shape[-1]
        if digits > MAX_UNIT_DIGITS:
            text = f"a matrix of {digits} signed digits, at most {MAX_UNIT_DIGITS} are solved"
            found.append(Problem(op.name, text, REMEDY))
        elif digits * places > MAX_COPIED_DIGITS:
            text = f"{digits} additions at {places} places, at most {MAX_COPIED_DIGITS} in all are unrolled"
            found.append(Problem(op.name, text, REMEDY))
    if isinstance(op, Lut) and (bits := net[op.inputs[0]].type.bits) > MAX_TABLE_BITS:
        text = f"a table of {bits} input bits, at most {MAX_TABLE_BITS} are made of logic"
        found.append(Problem(op.name, text, "requantize its input to fewer bits"))
    if isinstance(op, Pool) and op.mode == "max" and (n := empty_windows(op, net[op.inputs[0]].shape)):
        found.append(Problem(op.name, f"{n} of its windows hold padding only", "make the padding smaller"))
    return found
