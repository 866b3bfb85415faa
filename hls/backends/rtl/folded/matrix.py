"""The matrix-vector heads: dense layers and convolutions, folded over outputs (pe) and inputs (simd).

A convolution gets its inputs from the window head in front of it, so here both are
``groups`` weight matrices, each used at ``positions`` places of a frame.
"""

from __future__ import annotations

import numpy as np

from bitsmith.hls.backends.rtl.folded.form import KINDS, Form, cycles, is_depthwise, legal_folding, work_of
from bitsmith.hls.backends.rtl.folded.matrix_costs import form_cost, form_of, mvu_cost
from bitsmith.hls.backends.rtl.folded.parts import Bits, Parameter, Part, Rom, Steps
from bitsmith.hls.backends.rtl.folded.roms import in_block
from bitsmith.models.ir import Codebook
from bitsmith.models.ir.ops import Conv, Dense, Op
from bitsmith.models.ir.types import IntArray

__all__ = ["cycles", "is_depthwise", "legal_folding", "mvu_cost", "mvu_head", "vvu_head", "work_of"]

SOURCES = ("rom", "rows", "product", "tree", "pick", "dot", "dot_packed", "sums", "mac")
"""Library modules below both heads."""


def mvu_head(
    op: Dense | Conv,
    x: Op,
    pe: int,
    simd: int,
    family: str,
    mult: str = "auto",
    rom: str = "auto",
    form: Form | None = None,
) -> Part:
    """The matrix-vector unit for ``op`` with input ``x``: beats of ``simd`` inputs in, ``pe`` sums out.

    Input per position: for every group, (tap, channel of the group) in this order.
    ``form`` stands in for the one that follows from ``mult`` and ``rom``, see :func:`form_of`.
    """
    work, form = work_of(op), form or form_of(op, x, pe, simd, family, mult, rom)
    assert work.outputs % pe == 0 and work.inputs % simd == 0, f"{op.name}: no folding {pe} x {simd}"
    nf, sf = work.outputs // pe, work.inputs // simd
    matrix = op.weight.reshape(sf, simd, work.groups, nf, pe)
    words = matrix.transpose(2, 3, 0, 4, 1).reshape(work.groups * nf * sf, pe, simd)
    sizes = {"GROUPS": work.groups, "NF": nf, "SF": sf, "PE": pe, "SIMD": simd}
    read = 2 if (nf > 1 and sf > 1) or form.register else 1
    part_params, roms = _parameters(op, x, form, words, pe, family)
    steps = _steps(work.positions * work.groups, nf, sf)
    latency = form.latency(read, x.type.bits, simd, sf == 1)
    cost = form_cost(form, op, x, pe, simd, family)
    params = {**sizes, **part_params}
    return Part("bitsmith_mvu", params, latency, pe, op.type.bits, roms, 1, _modules(), steps, cost)


def vvu_head(op: Conv, x: Op, lanes: int, family: str, mult: str = "auto", rom: str = "auto") -> Part:
    """The unit of a depthwise convolution: beats of ``lanes`` channels in, tap after tap; ``lanes`` sums out.

    Input per position: for every fold of channels, all taps.
    """
    assert is_depthwise(op) and op.groups % lanes == 0, f"{op.name}: no {lanes} lanes"
    work, form = work_of(op), form_of(op, x, lanes, 1, family, mult, rom)
    folds, taps = work.groups // lanes, work.inputs
    words = op.weight.reshape(taps, folds, lanes).transpose(1, 0, 2).reshape(folds * taps, lanes, 1)
    sizes = {"FOLDS": folds, "TAPS": taps, "LANES": lanes}
    part_params, roms = _parameters(op, x, form, words, lanes, family)
    steps = _steps(work.positions * folds, 1, taps)
    latency = form.latency(1 + form.register, x.type.bits, 1, taps == 1)
    cost = form_cost(form, op, x, lanes, 1, family)
    params = {**sizes, **part_params}
    return Part("bitsmith_vvu", params, latency, lanes, op.type.bits, roms, 1, _modules(), steps, cost)


def _modules() -> tuple[str, ...]:
    return tuple(f"bitsmith_{name}" for name in SOURCES)


def _parameters(
    op: Dense | Conv, x: Op, form: Form, words: IntArray, pe: int, family: str
) -> tuple[dict[str, Parameter], dict[str, Rom]]:
    """Parameters that both heads have, and their ROMs; ``words`` (depth, pe, simd) are the weights."""
    weights, bits = form.weights, op.type.bits
    roms = {"WEIGHTS": Rom(_codes(op, form, words), _code_bits(form))}
    params: dict[str, Parameter] = {
        "WA": x.type.bits,
        "A_SIGN": int(x.type.signed),
        "WW": weights.bits,
        "W_SIGN": int(weights.signed),
        "KIND": KINDS[form.mult],
        "ALONE": int(family == "ice40"),
        "ACC": bits,
        "HAS_BIAS": int(form.has_bias),
        "ROM_REG": int(form.register),
        "BLOCK": int(form.block),
    }
    if form.packing:
        params |= {"WH": form.packing.upper_bits, "SHIFT": form.packing.shift, "LEVELS": form.packing.levels}
    if form.index:
        assert isinstance(op.structure, Codebook)
        values = enumerate(op.structure.values.tolist())
        book = sum((v % (1 << weights.bits)) << (k * weights.bits) for k, v in values)
        params |= {"INDEX": form.index, "CODEBOOK": Bits(book, weights.bits << form.index)}
    if form.sparse != (1, 1):
        params |= {"N": form.sparse[0], "M": form.sparse[1]}
    if form.has_bias:
        roms["BIAS"] = Rom(op.bias.reshape(-1, pe), bits)
        params["BIAS_BLOCK"] = int(in_block(op.bias.size // pe, pe * bits, family))
    return params, roms


def _code_bits(form: Form) -> int:
    return form.weights.bits + form.packing.upper_bits if form.packing else form.field


def _codes(op: Dense | Conv, form: Form, words: IntArray) -> IntArray:
    """(depth, codes) what the ROM holds for the weights ``words`` (depth, pe, simd), two's complement."""
    depth, pe, _ = words.shape
    mask = (1 << form.weights.bits) - 1
    if form.packing:
        low, high = words[:, 0::2], words[:, 1::2]
        codes = ((high - (low < 0)) << form.weights.bits) | (low & mask)
    elif form.mult == "sign":
        codes = -(words < 0).astype(np.int64)
    elif form.index:
        assert isinstance(op.structure, Codebook)
        codes = np.searchsorted(op.structure.values, words)
    elif form.sparse != (1, 1):  # those other than zero first, each with its place in the run above it
        n, m = form.sparse
        runs = words.reshape(depth, pe, -1, m)
        places = np.argsort(runs == 0, axis=-1, kind="stable")[..., :n]
        codes = (places << form.weights.bits) | (np.take_along_axis(runs, places, axis=-1) & mask)
    else:
        codes = words
    return codes.reshape(depth, -1)


def _steps(vectors: int, nf: int, sf: int) -> Steps:
    """Of ``vectors`` times ``nf`` passes over ``sf`` beats, which are taken in the first pass."""
    first = np.arange(vectors)[:, None] * (nf * sf)
    takes = (first + np.arange(sf)).reshape(-1)
    issues = (first + np.arange(1, nf + 1) * sf - 1).reshape(-1)
    return Steps(vectors * nf * sf, (takes,), (takes,), issues)
