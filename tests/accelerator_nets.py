"""Nets for the tests of accelerator boards, and what holds for every price."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import numpy as np

from bitsmith.hls.accelerators import load_accelerator
from bitsmith.hls.estimate.accelerators import estimate_accelerator
from bitsmith.hls.results import ZERO, AcceleratorEstimate
from bitsmith.models.ir import NetBuilder, QNet, QuantType, Rounding

FIGURES = [f.name for f in fields(AcceleratorEstimate) if f.type == "Figure"]


def conv_net(bits: int = 2, channels: int = 64, outputs: int = 8, kernel: int = 3, stride: int = 1, **more) -> QNet:
    """10 x 10 places, one convolution with ReLU, pooling, dense: counted by hand below."""
    b = NetBuilder("net")
    top = 2 ** (bits - 1) - 1 or 1
    x = b.input("x", (10, 10, channels), QuantType(8, True, 2.0**-7))
    weight = np.full((kernel, kernel, channels, outputs), top)
    weight[0, 0, 0, 0] = -(2 ** (bits - 1))
    pads = ((kernel // 2, kernel // 2),) * 2
    y = b.conv("conv", x, weight, strides=(stride, stride), pads=pads, **more)
    y = b.requant("relu", y, 1.0, 0, 127, 8, rounding=Rounding.HALF_UP)
    y = b.pool("pool", y, "max", (2, 2))
    side = 10 // stride // 2
    y = b.reshape("flat", y, (side * side * outputs,))
    return b.build(b.dense("fc", y, np.ones((side * side * outputs, 4), int), [1, 2, 3, 4]))


def dense_net(*widths: int, bits: int = 8) -> QNet:
    b = NetBuilder("mlp")
    x = b.input("x", (widths[0],), QuantType(8, True, 1.0))
    for i, (n_in, n_out) in enumerate(pairwise(widths)):
        weight = np.full((n_in, n_out), 2 ** (bits - 1) - 1)
        weight[0, 0] = -(2 ** (bits - 1))
        x = b.requant(f"q{i}", b.dense(f"fc{i}", x, weight), 1.0, -128, 127, 16, rounding=Rounding.HALF_UP)
    return b.build(x)


def check(cost: AcceleratorEstimate) -> None:
    """Bounds in order, all finite, rows that add up to the latency exactly."""
    for name in FIGURES:
        figure = getattr(cost, name)
        assert 0 <= figure.low <= figure.value <= figure.high < float("inf"), name
    total = ZERO
    for row in cost.layers:
        assert 0 <= row.latency_cycles.low <= row.latency_cycles.value <= row.latency_cycles.high, row.op
        total = total + row.latency_cycles
    assert total == cost.latency_cycles
    assert cost.fits == (not cost.problems)
    assert cost.calibration
    assert cost.headroom == min(use.available / use.used.value for use in cost.memory if use.used.value)


def use(cost: AcceleratorEstimate, name: str) -> float:
    return next(u.used.value for u in cost.memory if u.name == name)


def problems(net: QNet, name: str) -> list[str]:
    return [str(p) for p in estimate_accelerator(net, load_accelerator(name)).problems]
