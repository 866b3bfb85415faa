"""Thresholds as a pipe: comparators for few, binary search for many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bitsmith.hls.backends.rtl.folded import pipe_costs as costs
from bitsmith.hls.backends.rtl.folded.lanes import folds_of, side_by_side
from bitsmith.hls.backends.rtl.folded.linear import NO_PRODUCT, REQUANT_SOURCES, affine_params
from bitsmith.hls.backends.rtl.folded.parts import Parameter, Part, Rom
from bitsmith.models.ir import QuantType
from bitsmith.models.ir.intervals import Interval
from bitsmith.models.ir.ops import Op, Thresholds
from bitsmith.models.ir.types import IntArray

COMPARATORS, SEARCH, SERIAL = 0, 1, 2
"""KIND of bitsmith_thresholds."""

MOST_SEARCH_BITS = 16

SLOW = ("ice40",)
"""Families on which a memory and a comparator do not fit one cycle of 40 MHz."""

BASE_ONLY = 2
"""STEP of bitsmith_thresholds: every step is 1."""

TAKEN = ("Z", "WM", "M_SIGN", "M_FOLDS", "MULT", "HAS_ADD", "WA", "A_FOLDS", "ADD")
"""Parameters of bitsmith_requant that bitsmith_thresholds hands on."""

SOURCES = (
    *REQUANT_SOURCES,
    "bitsmith_requant",
    "bitsmith_lookup",
    "bitsmith_levels",
    "bitsmith_search",
    "bitsmith_search_serial",
)


@dataclass(frozen=True, eq=False)
class Rows:
    """Thresholds that matter: ``x > below[row, k]`` counts; (1 or channels, levels).  The rest is in ``base``."""

    below: IntArray
    base: IntArray  # (channels,)
    step: IntArray  # (channels,)

    @property
    def levels(self) -> int:
        """Most that a channel counts."""
        return int(self.below.shape[1])

    @property
    def count_bits(self) -> int:
        """Of the count."""
        return max(1, self.levels.bit_length())


def rows_of(op: Thresholds, span: Interval) -> Rows:
    """Leaves out what every channel reaches always, or none ever, for x in ``span``."""
    channels = op.shape[-1]
    base, step = (np.broadcast_to(v, channels) for v in (op.base, op.step))
    lo, hi = span.lo[:, None], span.hi[:, None]
    rows = op.thresholds
    if len(rows) == 1:
        lo, hi = lo.min(keepdims=True), hi.max(keepdims=True)
    rows = np.clip(rows, lo, hi + 1)
    always = int((rows <= lo).all(axis=0).sum())
    ever = int((rows <= hi).any(axis=0).sum())
    below = rows[:, always : max(ever, always + 1)] - 1
    if below.shape[1] == 0:  # nothing counts: a threshold that is never reached
        below = np.full((1, 1), span.max, np.int64)
    if (below == below[0]).all():
        below = below[:1]
    return Rows(below, base + step * always, step)


def levels_pipe(
    op: Thresholds, x: Op, span: Interval, lanes: int, family: str, spacing: int, kind: int | None = None
) -> Part:
    """Base plus step times the thresholds reached; ``spacing`` is the least number of cycles between two beats.

    ``kind`` (COMPARATORS, SEARCH or SERIAL) is the cheapest of the possible ones if it is None.
    """
    rows = rows_of(op, span)
    width = QuantType.for_range(min(span.min, int(rows.below.min()), -1), max(span.max, int(rows.below.max()))).bits
    read = 2 if family in SLOW else 1
    kinds = _possible(rows, spacing // read) if kind is None or rows.count_bits < 2 else [kind]
    found = [_count(rows, k, x, width, lanes, op, span.max, family) for k in kinds]
    best = min(found, key=lambda part: costs.worth(part.cost, family))
    return _with_value(best, rows, op, lanes, family)


def _possible(rows: Rows, spacing: int) -> list[int]:
    bits = rows.count_bits
    kinds = [COMPARATORS] if rows.levels <= costs.MOST_COMPARATORS or bits < 2 else []
    if bits >= 2 and bits <= MOST_SEARCH_BITS:
        kinds.append(SEARCH)
    if bits >= 2 and spacing >= bits:
        kinds.append(SERIAL)
    return kinds or [COMPARATORS]


def _count(rows: Rows, kind: int, x: Op, width: int, lanes: int, op: Thresholds, highest: int, family: str) -> Part:
    """The pipe as far as the count."""
    each = len(rows.below) > 1
    folds = folds_of(op.shape[-1], lanes, op.name) if each else 1
    bits = rows.count_bits
    params: dict[str, Parameter] = {
        "LANES": lanes,
        "FOLDS": folds,
        "EACH": int(each),
        "WX": x.type.bits,
        "X_SIGN": int(x.type.signed),
        "KIND": kind,
        "WU": width,
        "WC": bits,
    }
    read = 2 if family in SLOW else 1
    full = np.full((len(rows.below), (1 << bits) - 1), highest)  # none is reached beyond the last
    full[:, : rows.levels] = rows.below
    roms: dict[str, Rom] = {}
    if kind == COMPARATORS:
        params["LEVELS"] = rows.levels
        words = rows.below.reshape(folds, -1)
        if costs.in_block(folds, words.shape[1] * width, family):
            params["BLOCK_FROM"] = 0
        _first(params, roms, words, width)
        cost = costs.comparators_cost(rows.levels, bits, width, folds, lanes, each, family)
        return Part("bitsmith_thresholds", params, 2, lanes, bits, roms, 1, SOURCES, cost=cost)
    params["READ"] = read
    tables = _tables(full, bits, folds)
    if kind == SERIAL:
        words = np.concatenate([np.zeros_like(tables[0]), *tables], axis=1)
        block = costs.in_block(folds << bits, width, family)
        params["BLOCK_FROM"] = 0 if block else MOST_SEARCH_BITS
        roms["FILE_0"] = Rom(words.reshape(folds << bits, -1), width)
        cost = costs.serial_cost(bits, width, folds, lanes, read, block, family)
        return Part("bitsmith_thresholds", params, bits * read + 1, lanes, bits, roms, bits * read, SOURCES, cost=cost)
    blocks = [costs.in_block(folds << k, width, family) for k in range(bits)]
    first_block = next((k for k in range(bits) if blocks[k]), MOST_SEARCH_BITS)
    params["BLOCK_FROM"] = first_block
    _first(params, roms, tables[0].reshape(folds, -1), width)
    for k in range(1, bits):
        roms[f"FILE_{k}"] = Rom(tables[k].reshape(folds << k, -1), width)
    cost = costs.search_cost(bits, width, folds, lanes, read, first_block, family)
    return Part("bitsmith_thresholds", params, (bits - 1) * read + 1, lanes, bits, roms, 1, SOURCES, cost=cost)


def _first(params: dict[str, Parameter], roms: dict[str, Rom], words: IntArray, width: int) -> None:
    """Words that a fold alone chooses: a literal or a ROM."""
    if len(words) == 1:
        params["WORD"] = side_by_side(words[0], width)
        params["WW"] = words.shape[1] * width
    else:
        params["WW"] = words.shape[1] * width
        roms["FILE_0"] = Rom(words, width)


def _tables(full: IntArray, bits: int, folds: int) -> list[IntArray]:
    """For every bit, the thresholds asked: (folds, 2^k, lanes) each."""
    lanes = len(full) // folds
    split = full.reshape(folds, lanes, -1)
    tables = []
    for k in range(bits):
        asked = ((2 * np.arange(1 << k) + 1) << (bits - 1 - k)) - 1
        tables.append(split[:, :, asked].transpose(0, 2, 1))
    return tables


def _with_value(count: Part, rows: Rows, op: Thresholds, lanes: int, family: str) -> Part:
    """The pipe with what makes a value of the count."""
    params = {**count.params, "WY": op.type.bits}
    latency, cost, roms = count.latency, count.cost, dict(count.roms)
    if (rows.step != 1).any() or rows.base.any():
        unsigned = QuantType(rows.count_bits, False)
        line = affine_params(rows.step, rows.base, unsigned, op.type.bits, lanes, family, False)
        params |= {name: v for name, v in line.params.items() if name in TAKEN}
        params["STEP"] = BASE_ONLY if line.kind == NO_PRODUCT else line.kind
        roms |= line.roms
        latency += line.latency
        cost += line.cost
    return Part(count.module, params, latency, lanes, op.type.bits, roms, count.interval, SOURCES, cost=cost)
