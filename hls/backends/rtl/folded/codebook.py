"""Codebook weights by accumulating first and multiplying then: a sum per codeword, a multiplier per output."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bitsmith.hls.backends.rtl.folded.form import work_of
from bitsmith.hls.backends.rtl.folded.matrix import mvu_head
from bitsmith.hls.backends.rtl.folded.matrix_costs import mvu_cost, product_cost
from bitsmith.hls.backends.rtl.folded.parts import Bits, Cost, Parameter, Part, Rom
from bitsmith.hls.backends.rtl.folded.pipe_costs import worth
from bitsmith.hls.backends.rtl.folded.roms import in_block
from bitsmith.models.ir import Codebook, Interval, QuantType
from bitsmith.models.ir.intervals import infer_interval
from bitsmith.models.ir.ops import Conv, Dense, Op
from bitsmith.models.ir.types import IntArray


@dataclass(frozen=True, eq=False)
class Gathering:
    """A layer with a codebook as a layer of masks, ``codewords`` sums per output, and the weighing of those."""

    masks: Dense | Conv  # weights 0 and 1; output o * codewords + k sums the inputs that have codeword k at output o
    values: IntArray  # the codewords, without zero

    @property
    def codewords(self) -> int:
        """Sums per output."""
        return int(self.values.size)


def gathering(op: Dense | Conv, span: Interval) -> Gathering | None:
    """The masks of ``op``, whose inputs have the interval ``span``; None where it has no codebook, or is in groups."""
    structure = op.structure
    if not isinstance(structure, Codebook) or (isinstance(op, Conv) and op.groups > 1):
        return None
    used = np.flatnonzero(structure.values)
    if not used.size:
        return None
    chosen = (structure.index[..., None] == used).astype(np.int64)
    weight = chosen.reshape(*op.weight.shape[:-1], op.weight.shape[-1] * used.size)
    masks = replace(
        op,
        weight=weight,
        bias=np.zeros(weight.shape[-1], np.int64),
        weight_type=QuantType(1, False),
        structure=None,
        shape=(*op.shape[:-1], weight.shape[-1]),
    )
    sums = infer_interval(masks, [span], [()])
    return Gathering(replace(masks, type=QuantType.for_range(sums.min, sums.max)), structure.values[used])


def suits(op: Dense | Conv, found: Gathering, simd: int) -> bool:
    """Whether this folding leaves as many cycles between two outputs as there are codewords."""
    return work_of(op).inputs // simd >= found.codewords


def gathering_cost(op: Dense | Conv, x: Op, found: Gathering, pe: int, simd: int, family: str) -> Cost:
    """The unit of masks and the weighing behind it."""
    masks = mvu_cost(found.masks, x, pe * found.codewords, simd, family, "lut")
    bits = found.masks.type.bits
    once = product_cost(bits, _value_bits(found.values), family) + Cost(
        lut=found.codewords * (bits + 1) + 2 * op.type.bits, ff=found.codewords * bits + op.type.bits
    )
    for _ in range(pe):
        masks = masks + once
    return masks


def pays(op: Dense | Conv, x: Op, found: Gathering, pe: int, simd: int, family: str) -> bool:
    """Whether it is cheaper than multiplying every input."""
    plain = mvu_cost(op, x, pe, simd, family)
    return suits(op, found, simd) and worth(gathering_cost(op, x, found, pe, simd, family), family) < worth(
        plain, family
    )


def gathering_parts(op: Dense | Conv, x: Op, found: Gathering, pe: int, simd: int, family: str) -> tuple[Part, Part]:
    """Head and pipe that together stand in for :func:`mvu_head`; check :func:`suits` first."""
    assert suits(op, found, simd), f"{op.name}: fewer steps per output than codewords"
    head = mvu_head(found.masks, x, pe * found.codewords, simd, family, "lut")
    return head, _weigh_pipe(op, found, pe, family)


def _value_bits(values: IntArray) -> int:
    kind = QuantType.for_range(values.min(), values.max())
    return kind.bits + (not kind.signed)


def _weigh_pipe(op: Dense | Conv, found: Gathering, pe: int, family: str) -> Part:
    kind, bits, folds = found.masks.type, _value_bits(found.values), op.weight.shape[-1] // pe
    has_bias = bool(op.bias.any())
    book = sum((v % (1 << bits)) << (k * bits) for k, v in enumerate(found.values.tolist()))
    params: dict[str, Parameter] = {
        "LANES": pe,
        "COUNT": found.codewords,
        "WS": kind.bits,
        "S_SIGN": int(kind.signed),
        "WW": bits,
        "CODEBOOK": Bits(book, found.codewords * bits),
        "ALONE": int(family == "ice40"),
        "ACC": op.type.bits,
        "FOLDS": folds,
        "HAS_BIAS": int(has_bias),
        "BLOCK": int(has_bias and in_block(folds, pe * op.type.bits, family)),
    }
    roms = {"BIAS": Rom(op.bias.reshape(folds, pe), op.type.bits)} if has_bias else {}
    product = max(1, (min(kind.bits, bits) - 1).bit_length())
    sources = ("bitsmith_rom", "bitsmith_rows", "bitsmith_product", "bitsmith_sums")
    latency = found.codewords + 1 + product
    return Part("bitsmith_weigh", params, latency, pe, op.type.bits, roms, found.codewords, sources)
