"""Element-wise pipes: requantization, thresholds, tables, sums; each op as the cheapest unit that equals it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bitsmith.hls.backends.rtl.folded import pipe_costs as costs
from bitsmith.hls.backends.rtl.folded.exact import as_requant
from bitsmith.hls.backends.rtl.folded.lanes import folds_of, input_widths, side_by_side
from bitsmith.hls.backends.rtl.folded.levels import levels_pipe
from bitsmith.hls.backends.rtl.folded.linear import REQUANT_SOURCES, affine_params
from bitsmith.hls.backends.rtl.folded.parts import Bits, Cost, Parameter, Part, Rom
from bitsmith.models.ir import Overflow, QuantType, Rounding
from bitsmith.models.ir.execute import apply_op
from bitsmith.models.ir.intervals import Interval
from bitsmith.models.ir.numerics import round_shift
from bitsmith.models.ir.ops import Add, Lut, Op, Requant, Thresholds

FEW_LEVELS = 3
"""So few comparators are never more than a product."""


def thresholds_pipe(op: Thresholds, x: Op, span: Interval, lanes: int, family: str, spacing: int) -> Part:
    """The cheapest pipe that equals ``op`` on ``span``; ``spacing``: the least number of cycles between two beats."""
    found = [levels_pipe(op, x, span, lanes, family, spacing)]
    if op.thresholds.shape[1] > FEW_LEVELS:
        product = as_requant(op, span)
        if product is not None:
            found.append(requant_pipe(product, x, span, lanes, family))
    if _is_small(span):
        found.append(lut_pipe(op, x, span, lanes, family))
    return min(found, key=lambda part: costs.worth(part.cost, family))


def requant_pipe(op: Requant, x: Op, span: Interval, lanes: int, family: str, dsp: bool | None = None) -> Part:
    """Multiply, add, shift, round, and saturate or wrap.

    ``dsp`` says whether the product is made on a multiplier of the device; None: what is
    cheaper, a table of the whole function as well.
    """
    part = _arithmetic(op, x, span, lanes, family, dsp)
    if dsp is not None or not _is_small(span):
        return part
    return min((part, lut_pipe(op, x, span, lanes, family)), key=lambda p: costs.worth(p.cost, family))


def _is_small(span: Interval) -> bool:
    return (span.max - span.min).bit_length() <= costs.MOST_TABLE_BITS


def _arithmetic(op: Requant, x: Op, span: Interval, lanes: int, family: str, dsp: bool | None) -> Part:
    """bitsmith_requant."""
    channels = op.shape[-1]
    mult, add = (np.broadcast_to(v, channels) for v in (op.mult, op.add))
    ends = np.stack([v * mult + add for v in (span.lo, span.hi)])
    rounded = round_shift(ends, op.shift, op.rounding)
    r_lo, r_hi = int(rounded.min()), int(rounded.max())
    half = 1 << (op.shift - 1) if op.shift and op.rounding is not Rounding.FLOOR else 0
    add = add + half
    t_lo, t_hi = int(ends.min()) + half, int(ends.max()) + half
    even = op.rounding is Rounding.HALF_EVEN and op.shift > 0
    below, above = r_lo < op.lo, r_hi > op.hi
    wraps = op.overflow is Overflow.WRAP and (below or above)
    params: dict[str, Parameter] = {"SHIFT": op.shift, "WY": op.type.bits}
    if even:
        params["HALF_EVEN"] = 1
    if wraps:
        params |= {"WRAP": (op.hi - op.lo).bit_length(), "LO": Bits(op.lo, 64)}
        least = (op.hi - op.lo).bit_length() + 1
    else:
        if below:
            params |= {"CLIP_LO": Bits(1, 1), "LO": Bits(op.lo, 64)}
        if above:
            params |= {"CLIP_HI": Bits(1, 1), "HI": Bits(op.hi, 64)}
        held = [r_lo, r_hi, *([op.lo, op.lo + even] if below else []), *([op.hi] if above else [])]
        least = _signed(min(held), max(held))
    width = max(_signed(t_lo, t_hi), op.shift + least)
    line = affine_params(mult, add, x.type, width, lanes, family, dsp)
    last = even or wraps or below or above or line.latency == 0
    params |= {"LANES": lanes, "WX": x.type.bits, "X_SIGN": int(x.type.signed), **line.params}
    params |= {"WT": width, "LAST": int(last)}
    cost = line.cost
    if last:
        end = costs.clip_cost(op.type.bits, even, op.shift)
        cost += Cost(lanes * end.lut, lanes * end.ff)
    latency = line.latency + last
    return Part("bitsmith_requant", params, latency, lanes, op.type.bits, line.roms, 1, REQUANT_SOURCES, cost=cost)


def _signed(lo: int, hi: int) -> int:
    """Bits of a signed number for ``lo..hi``."""
    return QuantType.for_range(min(lo, -1), hi).bits


def _is_per_tensor(op: Lut | Requant | Thresholds) -> bool:
    if isinstance(op, Requant):
        return op.mult.size == op.add.size == 1
    return isinstance(op, Lut) or len(op.thresholds) == op.base.size == op.step.size == 1


def lut_pipe(op: Lut | Requant | Thresholds, x: Op, span: Interval, lanes: int, family: str) -> Part:
    """Any function of few integers as a table, one for all channels or one for each."""
    folds = folds_of(op.shape[-1], lanes, op.name)
    bits = max(1, (span.max - span.min).bit_length())
    places = np.arange(1 << bits)
    values = span.min + ((places - span.min) & ((1 << bits) - 1))  # the one with these lowest bits, if it occurs
    columns = 1 if _is_per_tensor(op) else op.shape[-1]
    grid = np.broadcast_to(np.minimum(values, span.max)[:, None], (1 << bits, columns))
    table = apply_op(op, [grid], [span])
    if (table == table[:, :1]).all():
        words, folds, each = table[:, :1], 1, 0
    elif folds == 1:
        words, each = table, 1
    else:
        words, each = table.reshape(1 << bits, folds, lanes).transpose(1, 0, 2).reshape(-1, lanes), 1
    block = costs.in_block(len(words), op.type.bits, family)
    params: dict[str, Parameter] = {
        "LANES": lanes,
        "FOLDS": folds,
        "EACH": each,
        "WX": x.type.bits,
        "WA": bits,
        "WY": op.type.bits,
        "BLOCK": int(block),
    }
    cost = costs.rom_cost(len(words), op.type.bits, block, lanes, family)
    sources = ("bitsmith_rom", "bitsmith_put_line")
    return Part(
        "bitsmith_lut", params, 1, lanes, op.type.bits, {"FILE": Rom(words, op.type.bits)}, 1, sources, cost=cost
    )


def add_pipe(op: Add, types: Sequence[QuantType], lanes: int) -> Part:
    """The weighted sum of a join's inputs, which stand side by side, the first in the lowest bits."""
    reach = [
        _signed(min(f * t.min, f * t.max), max(f * t.min, f * t.max)) for f, t in zip(op.factors, types, strict=True)
    ]
    plain = all(abs(f) & (abs(f) - 1) == 0 for f in op.factors)
    times = int(not plain or len(types) == 1)
    width = min(max(reach), op.type.bits)
    params: dict[str, Parameter] = {
        "LANES": lanes,
        "INPUTS": len(types),
        **input_widths(types),
        "FACTOR": side_by_side(op.factors, 64),
        "WIDTH": lanes * sum(t.bits for t in types),
        "TIMES": times,
        "WT": width,
        "WY": op.type.bits,
    }
    latency = times + (len(types) - 1).bit_length()
    cost = costs.add_cost(op.factors, width, op.type.bits, lanes)
    sources = ("bitsmith_put_line", "bitsmith_tree")
    return Part("bitsmith_add", params, latency, lanes, op.type.bits, sources=sources, cost=cost)
