"""Prices hls4ml projects from op counts alone: very wide bounds, since the HLS compiler decides.

The central figures take one LUT per bit operation of a nonzero multiplication
(the EBOPs rule of the HGQ papers) and a DSP block where both factors are wide.
"""

from __future__ import annotations

import math

from bitsmith.hls.boards import Family
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.counts import op_counts
from bitsmith.hls.estimate.physics import reached_clock, scaled
from bitsmith.hls.estimate.priced import Priced
from bitsmith.hls.results import Figure, LayerCost, OpCount
from bitsmith.models.ir import Conv, Dense, Op, Pool, QNet

LUT_PER_BIT_OP = Figure(1.0, 0.15, 3.0)
LUT_PER_OUTPUT_BIT = Figure(3.0, 0.5, 12.0)  # rounding, saturation, comparison, multiplexers
FF_PER_LUT = Figure(0.4, 0.05, 1.5)
DSP_BITS = 10
"""Narrowest factor for which the central figure takes a DSP block; HLS builds narrower products from LUTs."""


def price_hls4ml(net: QNet, hw: HwConfig, family: Family) -> Priced:
    """Rows from op counts, ``hw.reuse`` and ``hw.io``; every figure is a range."""
    layers, latency, interval = [], Figure.exact(0), [Figure.exact(1)]
    for op, count in zip(net.ops, op_counts(net), strict=True):
        row = _row(net, op, count, hw)
        layers.append(row)
        latency = latency + _latency(net, op, count, hw)
        interval.append(_interval(op, count, hw))
    if hw.io == "io_stream":
        # Layers overlap: the last result waits for the slowest stage, then for the depth of all.
        latency = latency + max(interval, key=lambda f: f.value)
    return Priced(
        layers=tuple(layers),
        latency_cycles=Figure(latency.value, max(latency.low, 1.0), latency.high),
        ii_cycles=max(interval, key=lambda f: f.value),
        fmax_mhz=reached_clock(hw.clock_mhz, family),
        calibration="uncalibrated",
    )


def _places(op: Op, hw: HwConfig) -> int:
    """How many copies of a layer's multipliers stand side by side: io_stream takes the places in turn."""
    return 1 if hw.io == "io_stream" else math.prod(op.shape[:-1])


def _row(net: QNet, op: Op, count: OpCount, hw: HwConfig) -> LayerCost:
    copies = _places(op, hw)
    outputs = copies * op.shape[-1]
    other = scaled(outputs * op.type.bits, LUT_PER_OUTPUT_BIT)
    if op.kind in ("input", "reshape", "concat", "pad", "upsample"):
        other = Figure(0.0, 0.0, other.high)
    if not isinstance(op, Dense | Conv):
        return LayerCost(op.name, op.kind, lut=other, ff=_registers(other), bram=_buffer(op, hw))
    products = copies * count.nonzero_weights / hw.reuse
    bits = count.weight_bits * net[op.inputs[0]].type.bits
    wide = min(count.weight_bits, net[op.inputs[0]].type.bits)
    dsp = Figure(products if wide >= DSP_BITS else 0.0, 0.0, products if wide > 3 else 0.0)
    in_luts = scaled(products * bits, LUT_PER_BIT_OP)
    lut = other + Figure(in_luts.value if dsp.value == 0 else 0.0, 0.0 if dsp.high else in_luts.low, in_luts.high)
    return LayerCost(
        op.name,
        op.kind,
        lut=lut,
        ff=_registers(lut),
        dsp=dsp,
        bram=_weights(count, hw) + _buffer(op, hw),
        detail=f"{products:.0f} products of {count.weight_bits} x {net[op.inputs[0]].type.bits} bits",
    )


def _registers(lut: Figure) -> Figure:
    return Figure(lut.value * FF_PER_LUT.value, lut.low * FF_PER_LUT.low, lut.high * FF_PER_LUT.high)


def _weights(count: OpCount, hw: HwConfig) -> Figure:
    """Block RAM for weights: constants are folded at reuse 1, else kept in memory of ``weights / reuse`` wide words."""
    if hw.reuse == 1:
        return Figure.exact(0.0)
    width = math.ceil(count.weights / hw.reuse) * count.weight_bits
    blocks = math.ceil(width / 36) * max(1, math.ceil(hw.reuse / 512))
    return Figure(float(blocks), 0.0, 2.0 * blocks)


def _buffer(op: Op, hw: HwConfig) -> Figure:
    """Stream and line buffers, at most one pair of blocks per 36 bits of a position."""
    if hw.io != "io_stream":
        return Figure.exact(0.0)
    blocks = math.ceil(op.shape[-1] * op.type.bits / 36)
    rows = op.kernel[0] if isinstance(op, Conv) else op.window[0] if isinstance(op, Pool) else 1
    return Figure(0.0, 0.0, 2.0 * blocks * rows)


def _latency(net: QNet, op: Op, count: OpCount, hw: HwConfig) -> Figure:
    if isinstance(op, Dense | Conv):
        depth = math.ceil(math.log2(max(2.0, count.weights / op.shape[-1])))
        extra = hw.reuse - 1
        return Figure(2.0 + depth / 3 + extra, 1.0 + extra, 6.0 + 2.0 * depth + 2.0 * extra)
    return Figure(0.0, 0.0, 2.0) if op.kind in ("input", "reshape", "concat") else Figure(1.0, 0.0, 4.0)


def _interval(op: Op, count: OpCount, hw: HwConfig) -> Figure:
    if hw.io == "io_parallel":
        reuse = hw.reuse if count.weights else 1
        return Figure(float(reuse), 1.0, 2.0 * reuse + 4.0) if hw.reuse > 1 else Figure(1.0, 1.0, 4.0)
    if hw.io == "io_stream":
        places = math.prod(op.shape[:-1])
        beats = places * (hw.reuse if count.weights else 1)
        return Figure(float(beats), 0.5 * beats if beats > 1 else 1.0, 4.0 * beats + 4.0 * places + 8.0)
    raise AssertionError(f"hls4ml knows no {hw.io}")
