"""Folded and unrolled designs of ours priced as tables: the parameters that their units would have, as columns."""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import numpy as np

from bitsmith.hls.backends.rtl.folded.heads import MOST_HELD
from bitsmith.hls.backends.rtl.folded.multiply import DSP_SIZE
from bitsmith.hls.backends.rtl.folded.roms import BITS_PER_LUT, LUTS_PER_BLOCK
from bitsmith.hls.estimate.rtl import heads, pipes
from bitsmith.hls.estimate.rtl.arithmetic import LUT, PACKED, SIGN, TERNARY
from bitsmith.hls.estimate.rtl.heads import Params, outlet
from bitsmith.hls.estimate.rtl.memory import block_count
from bitsmith.hls.estimate.rtl.terms import FF, Floats, Number, Terms, clog2, total
from bitsmith.hls.estimate.table import LayerTable

OUTLET_DEPTH = 4
"""Places of a FIFO between stages, typically."""

SHARING = 0.915
"""Adders of a solved graph as a power of its signed digits; see ``folded/unrolled.py``."""

WIDER = 4.0
"""Bits of a graph's adders above those of its inputs, on average."""

CHAINS, CHAIN_BITS, FULL, HALF = 0.74, 0.77, 0.10, 0.12
"""Of a graph's adders and of their bits what is left as carry chains, and full and half adders for each bit: on average
of the designs of the calibration."""

CUT = 2.2
"""Standard deviations of the weights that the largest integer stands for."""

PIPE_CYCLES = 8.0
"""Cycles that a stage takes from a step to its result, typically."""


def folded_terms(t: LayerTable, family: str) -> Terms:
    """What the stages of each layer are made of, (layers,) each."""
    lanes = np.minimum(t.simd, t.channels)
    width = np.where(t.act_bits > 0, t.act_bits, t.acc_bits)
    parts = [
        heads.mvu(mvu_params(t, family), family),
        pipes.requant(requant_params(t), family).where(t.act_bits > 0),
        outlet(t.pe * width, OUTLET_DEPTH, family),
        _windows(t, lanes, family).where(t.kernel > 1),
        _converter(t, lanes, family),
    ]
    return total(parts)


def mvu_params(t: LayerTable, family: str) -> Params:
    """Parameters of bitsmith_mvu, chosen as its generator does by rule."""
    nf, sf = t.outputs / t.pe, t.inputs / t.simd
    wide = DSP_SIZE.get(family, (0, 0))[0]
    levels = np.minimum(clog2(t.simd), wide - t.a_bits - 2 * t.w_bits - 1)
    large = (np.minimum(t.a_bits, t.w_bits) > 3) & (t.a_bits + t.w_bits >= 9) & (family != "ice40")
    packed = large & (levels >= 0) & (t.pe % 2 == 0)
    kind = np.select([t.w_bits <= 1, t.w_bits <= 2, packed, large], [SIGN, TERNARY, PACKED, 3], LUT)
    field = np.where(packed, t.w_bits + 0.5, t.w_bits)
    depth, word = nf * sf, t.pe * t.simd * field
    block = _in_block(depth, word, family)
    return {
        "GROUPS": 1,
        "NF": nf,
        "SF": sf,
        "PE": t.pe,
        "SIMD": t.simd,
        "WA": t.a_bits,
        "A_SIGN": 0,
        "WW": t.w_bits,
        "W_SIGN": 1,
        "KIND": kind,
        "WH": t.w_bits + 1,
        "SHIFT": t.a_bits + t.w_bits + np.maximum(levels, 0),
        "LEVELS": np.maximum(levels, 0),
        "ACC": t.acc_bits,
        "HAS_BIAS": np.where(t.act_bits > 0, 1, 0),
        "ROM_REG": block * (family != "ice40"),
        "BLOCK": block,
        "BIAS_BLOCK": _in_block(nf, t.pe * t.acc_bits, family),
    }


def _in_block(depth: Floats, width: Floats, family: str) -> Floats:
    """``roms.in_block`` for columns."""
    logic = np.where(depth > 1, width * np.maximum(1.0, depth / BITS_PER_LUT[family]), 0.0)
    worth = block_count(depth, width, family) * LUTS_PER_BLOCK[family] < logic
    return np.where((depth >= 16) & worth, 1.0, 0.0)


def requant_params(t: LayerTable) -> Params:
    """Parameters of bitsmith_requant: a shift, or a multiplier of eight bits for each channel."""
    own = t.per_channel > 0
    folds = np.where(own, t.outputs / t.pe, 1)
    shift = np.maximum(0.0, t.acc_bits - t.act_bits - 1)
    return {
        "LANES": t.pe,
        "WX": t.acc_bits,
        "X_SIGN": 1,
        "KIND": np.where(own, 0, -1),
        "WM": 8,
        "M_SIGN": 0,
        "M_FOLDS": folds,
        "HAS_ADD": 1,
        "WA": np.where(own, t.acc_bits + 4, shift + 1),
        "A_FOLDS": folds,
        "WT": np.where(own, t.acc_bits + 8, t.acc_bits),
        "SHIFT": np.where(own, shift + 8, shift),
        "HALF_EVEN": np.where(own, 0, 1),
        "CLIP_LO": 1,
        "CLIP_HI": 1,
        "WY": np.maximum(1, t.act_bits),
        "LAST": 1,
    }


def _windows(t: LayerTable, lanes: Floats, family: str) -> Terms:
    """The window generator of a convolution, and its outlet."""
    wide = np.where(t.cols > 1, t.kernel, 1.0)
    params: dict[str, Number] = {
        "WIDTH": lanes * t.a_bits,
        "ROWS": t.rows,
        "COLS": t.cols,
        "OUTER": 1,
        "INNER": np.maximum(1.0, t.channels / lanes),
        "KH": t.kernel,
        "KW": wide,
        "SH": t.stride,
        "SW": np.where(t.cols > 1, t.stride, 1.0),
        "DH": 1,
        "DW": 1,
        "PT": np.floor(t.kernel / 2),
        "PL": np.floor(wide / 2),
        "OH": np.ceil(t.rows / t.stride),
        "OW": np.where(t.cols > 1, np.ceil(t.cols / t.stride), 1.0),
        "UPH": 1,
        "UPW": 1,
        "BUF_ROWS": t.kernel + t.stride,
    }
    return heads.window(params, family) + outlet(lanes * t.a_bits, OUTLET_DEPTH, family)


def _converter(t: LayerTable, lanes: Floats, family: str) -> Terms:
    """What brings the lanes of the layer before to those of this one; the input comes as its reader wants it."""
    first = np.diff(t.design, prepend=-1) > 0
    before = np.where(first, lanes, np.roll(t.pe, 1))
    down, up = before > lanes, before < lanes
    ratio = np.where(down, np.ceil(before / lanes), np.ceil(lanes / before))
    narrow = heads.narrow({"WIDTH": lanes * t.a_bits, "RATIO": ratio, "HOLD": ratio <= MOST_HELD}, family)
    widen = heads.widen({"WIDTH": before * t.a_bits, "RATIO": ratio}, family)
    end = outlet(lanes * t.a_bits, OUTLET_DEPTH, family)
    return narrow.where(down) + widen.where(up) + end.where(down | up)


def folded_cycles(t: LayerTable) -> tuple[Floats, Floats]:
    """(latency, II) of each design: the II of the busiest unit; the latency layer by layer.

    A dense layer has its first sums with its last input, and then walks through the other groups of outputs; a layer
    with places starts once its window is filled, and ends as late after that as the II says.
    """
    nf, sf = t.outputs / t.pe, t.inputs / t.simd
    work = t.places * nf * sf
    taken = np.where(t.kernel > 1, t.rows * t.cols * t.channels / np.minimum(t.simd, t.channels), 0.0)
    interval = t.most(np.maximum(work, taken))
    share = np.minimum(1.0, (t.kernel + 1) / np.maximum(t.rows, 1.0))  # of its input, before a layer's first result
    first, last = np.zeros(t.designs), np.zeros(t.designs)  # cycles of the first and of the last beat so far
    depth = np.arange(t.design.size) - np.searchsorted(t.design, t.design)
    for number in range(int(depth.max(initial=-1)) + 1):
        at = np.flatnonzero(depth == number)
        of, pace = t.design[at], interval[t.design[at]]
        begun, ended = first[of], last[of]
        dense = t.places[at] <= 1
        filled = begun + share[at] * pace
        first[of] = np.where(dense, np.maximum(ended, begun + sf[at]), filled) + PIPE_CYCLES
        rest = (nf[at] - 1) * sf[at]
        done = np.maximum(ended + rest, begun + sf[at] + rest)
        last[of] = np.where(dense, done, filled + (1 - share[at]) * pace) + PIPE_CYCLES
    return last, interval


@cache
def digits_by_bits() -> Floats:
    """Signed digits of a bell-shaped weight that is not zero, by its bits (0 to 16): as trained ones are rounded."""
    normal = NormalDist()
    quantiles = np.array([normal.inv_cdf((k + 0.5) / 2000) for k in range(2000)])
    found = np.ones(17)
    for bits in range(3, 17):
        top = (1 << (bits - 1)) - 1
        weights = np.abs(np.clip(np.rint(quantiles * top / CUT), -top, top)).astype(np.int64)
        weights = weights[weights > 0]
        found[bits] = np.bitwise_count((weights ^ (3 * weights)).astype(np.uint64)).mean()
    return found


def unrolled_terms(t: LayerTable) -> Terms:
    """What each layer is made of when every weight is wired, (layers,) each; copies for all places."""
    digits = t.inputs * t.outputs * t.density * digits_by_bits()[np.clip(t.w_bits, 0, 16).astype(int)]
    bits = np.maximum(1.0, digits) ** SHARING * (t.a_bits + WIDER)
    act = t.act_bits > 0
    sums = t.places * (bits + np.where(act, t.outputs * t.acc_bits * (1 + 4 * t.per_channel), 0.0))
    return Terms(
        {
            "graph.adder_bits": CHAIN_BITS * sums,
            "graph.full_adders": FULL * sums,
            "graph.half_adders": HALF * sums,
            "graph.adders": CHAINS * t.places * np.maximum(1.0, digits) ** SHARING,
            "graph.clip": np.where(act, t.places * t.outputs * t.act_bits, 0.0),
            "graph.even": np.where(act, t.places * t.outputs * np.maximum(0.0, t.acc_bits - t.act_bits) / 4, 0.0),
            FF: t.places * (0.3 * bits + t.outputs * np.where(act, t.act_bits, t.acc_bits)),
        }
    )
