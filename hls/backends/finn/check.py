"""What stands in the way of a FINN build: every reason at once, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bitsmith.hls.backends.finn.boards import FAMILIES
from bitsmith.hls.backends.finn.folding import FILL, Folding, cheapest, fastest, fits
from bitsmith.hls.backends.finn.layers import layers_of
from bitsmith.hls.backends.finn.plan import plan
from bitsmith.hls.backends.finn.simplify import simplify
from bitsmith.hls.backends.finn.units import Product, Steps, Unit, pair, sides
from bitsmith.hls.backends.staircase import MAX_LEVELS, why_not
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Problem
from bitsmith.models.ir.intervals import Interval, intervals
from bitsmith.models.ir.ops import ArgMax, Conv, Lut, Pool, QNet, Requant, Thresholds

EXACT = 1 << 24
"""FINN carries integers as float32, which is exact up to here."""
MAX_RANK = 3


def find_problems(net: QNet, hw: HwConfig) -> list[Problem]:
    """Everything that stands in the way of a FINN build of ``net`` with the choices in ``hw``."""
    found = list(_project(hw)) + list(_ops(net))
    if found:
        return found
    units = simplify(plan(net))
    found = list(_too_wide(units))
    return found or list(_folding_problems(units, hw))


def folding_of(units: tuple[Unit, ...], hw: HwConfig) -> Folding | None:
    """The folding that ``hw`` asks for, or None: cheapest for ``hw.target_ii``, else the fastest that fits."""
    layers, device = layers_of(units, hw.board.device.family), hw.board.device
    if hw.target_ii is None:
        return fastest(layers, device)
    found = cheapest(layers, device, hw.target_ii)
    return found if found is not None and fits(found, device) else None


def _project(hw: HwConfig) -> Iterator[Problem]:
    if hw.board.device.family not in FAMILIES:
        yield Problem(
            "(project)",
            f"FINN builds for AMD devices, not for the {hw.board.device.part} of board {hw.board.name}",
            "choose an AMD board, or backend rtl-unrolled",
        )
    if hw.target_ii is not None and hw.target_ii < 1:
        yield Problem("(project)", f"target_ii is {hw.target_ii}", "give at least one cycle, or leave it out")


def _ops(net: QNet) -> Iterator[Problem]:
    spans = intervals(net)
    for op in net.ops:
        if len(op.shape) > MAX_RANK:
            yield Problem(
                op.name,
                f"shape {op.shape} has more than {MAX_RANK} axes",
                "FINN takes vectors, sequences and images: reshape it",
            )
            continue
        if isinstance(op, Requant | Thresholds | Lut):
            yield from _steps(op, spans[op.inputs[0]])
        if isinstance(op, ArgMax) and op is not net.output:
            yield Problem(op.name, "the index goes into another op", "FINN has ArgMax at the end of a net only")
        if isinstance(op, Conv | Pool):
            yield from _windows(net, op)
        if isinstance(op, Pool) and op.mode == "max" and any(a or b for a, b in op.pads):
            yield from _padded_maximum(op, spans[op.inputs[0]])


def _steps(op: Requant | Thresholds | Lut, span: Interval) -> Iterator[Problem]:
    reason = why_not(op, span)
    if not reason:
        return
    if "wrap" in reason:
        remedy = "FINN's activations are staircases: let it saturate, or widen it until nothing wraps"
    elif "levels" in reason:
        remedy = f"FINN needs a threshold per level, at most {MAX_LEVELS}: use fewer bits"
    else:
        remedy = "FINN's activations are staircases: use one that only rises or only falls, or backend rtl-unrolled"
    yield Problem(op.name, reason, remedy)


def _padded_maximum(op: Pool, span: Interval) -> Iterator[Problem]:
    if span.min < 0 and span.max - span.min > MAX_LEVELS:
        yield Problem(
            op.name,
            f"padding around {span.max - span.min + 1} levels, some below zero",
            "FINN pads with zeros: quantize before the pooling, or leave the padding out",
        )


def _windows(net: QNet, op: Conv | Pool) -> Iterator[Problem]:
    kernel = pair(op.kernel if isinstance(op, Conv) else op.window)
    dilations = pair(op.dilations) if isinstance(op, Conv) else (1, 1)
    strides, (top, left, bottom, right) = pair(op.strides), sides(op.pads)
    size = pair(net[op.inputs[0]].shape[:-1])
    for axis, pads in enumerate((top + bottom, left + right)):
        if size[axis] == 1 and (kernel[axis] > 1 or pads):
            yield Problem(
                op.name,
                f"spatial axis {axis} of size 1 meets a window of {kernel[axis]} and {pads} places of padding",
                "FINN wants neither there: use a convolution on sequences (one spatial axis)",
            )
        reach = (kernel[axis] - 1) * dilations[axis] + 1
        if strides[axis] > size[axis] + pads or reach > size[axis] + pads:
            yield Problem(op.name, f"stride {strides} on an image of {size}", "use a stride within the image")
    if isinstance(op, Pool) and op.mode == "max" and (kernel[0] < strides[0] or kernel[1] < strides[1]):
        yield Problem(
            op.name,
            f"the window {op.window} is smaller than the stride {op.strides}",
            "FINN's pooling leaves no gaps: use a window of at least the stride",
        )


def _too_wide(units: tuple[Unit, ...]) -> Iterator[Problem]:
    by_name = {u.name: u for u in units}
    for unit in units:
        largest = max(abs(unit.lo), abs(unit.hi))
        if isinstance(unit, Product):
            source = by_name[unit.inputs[0]]
            most = max(abs(source.lo), abs(source.hi))
            largest = max(largest, int(np.abs(unit.weight).sum(axis=0).max()) * most)
        if isinstance(unit, Steps):
            largest = max(largest, int(np.abs(unit.thresholds).max()))
        if largest >= EXACT:
            yield Problem(
                unit.op,
                f"values reach {largest}, FINN carries integers as float32, exact below {EXACT}",
                "use fewer bits for weights or activations, or backend rtl-unrolled",
            )


def _folding_problems(units: tuple[Unit, ...], hw: HwConfig) -> Iterator[Problem]:
    if folding_of(units, hw) is not None:
        return
    device = hw.board.device
    best = fastest(layers_of(units, device.family), device)
    share = f"{FILL:.0%} of the {device.name}"
    if best is None:
        yield Problem("(project)", f"no folding fits into {share}", "use a larger board or a smaller net")
    else:
        yield Problem(
            "(project)",
            f"no folding with {hw.target_ii} cycles between results fits into {share}",
            f"ask for {best.ii_cycles} cycles or more, or use a larger board",
        )
