"""Small nets that together use every op of the QNet, for the conformance suite of the backends.

Weights are random with a fixed seed.  Every net is made by a function of its own, so
that a failing case can be looked at alone: ``NETS["conv2d_strided"]()``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bitsmith.models.ir import NetBuilder, Overflow, QNet, QuantType, Rounding

U4, I4, I6 = QuantType(4, False), QuantType(4, True), QuantType(6, True)


def weights(rng: np.random.Generator, *shape: int, bits: int = 3) -> np.ndarray:
    """Random integers of ``bits`` bits, signed, half of them zero."""
    w = rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), shape)
    w[rng.random(shape) < 0.5] = 0
    w.flat[0] = 1  # never all zero
    return w


def dense_net() -> QNet:
    rng = np.random.default_rng(1)
    b = NetBuilder("dense")
    x = b.input("x", (8,), U4)
    x = b.requant("act1", b.dense("fc1", x, weights(rng, 8, 6), rng.integers(-9, 9, 6)), 1.0, 0, 7, 2)
    x = b.requant("act2", b.dense("fc2", x, weights(rng, 6, 5), rng.integers(-9, 9, 5)), 1.0, -8, 7, 1)
    return b.build(b.dense("fc3", x, weights(rng, 5, 3)))


def real_scales() -> QNet:
    """Scales that are no powers of two, per channel, with multipliers: integers are all that counts."""
    rng = np.random.default_rng(2)
    b = NetBuilder("real_scales")
    x = b.input("x", (6,), QuantType(5, True, 0.37), lo=-15, hi=15)
    x = b.dense("fc", x, weights(rng, 6, 4, bits=4), rng.integers(-20, 20, 4), scale=(0.11, 0.2, 0.013, 0.4))
    mult, add = rng.integers(1, 30, 4), rng.integers(-100, 100, 4)
    return b.build(b.requant("act", x, 0.29, -31, 31, shift=6, mult=mult, add=add))


def requants(overflow: Overflow) -> QNet:
    """Every rounding in one net, all with this overflow; one with a multiplier below zero."""
    b = NetBuilder(f"requants_{overflow}")
    x = b.input("x", (5,), QuantType(9, True))
    outs = [b.requant(f"y_{rounding}", x, 1.0, -8, 7, 3, rounding=rounding, overflow=overflow) for rounding in Rounding]
    outs.append(b.requant("negative", x, 1.0, -32, 31, 4, mult=-3, add=5, overflow=overflow))
    outs.append(b.requant("unsigned", x, 1.0, 0, 15, 2, rounding=Rounding.HALF_UP, overflow=overflow))
    outs.append(b.requant("no_shift", x, 1.0, -16, 15, 0, overflow=overflow))
    return b.build(b.concat("all", outs, 1.0))


def odd_range() -> QNet:
    """Saturation at ends that are no powers of two, and a range of one value."""
    b = NetBuilder("odd_range")
    x = b.input("x", (4,), I6)
    some = b.requant("some", x, 1.0, -5, 9, 1)
    one = b.requant("one", x, 1.0, 3, 3, 1)
    wrapped = b.requant("wrapped", x, 1.0, -3, 12, 0, overflow=Overflow.WRAP)
    return b.build(b.concat("all", [some, one, wrapped], 1.0))


def per_channel() -> QNet:
    """Multiplier and addend per channel on an image."""
    rng = np.random.default_rng(3)
    b = NetBuilder("per_channel")
    x = b.input("x", (3, 3, 4), I4)
    mult, add = rng.integers(-20, 20, 4), rng.integers(-60, 60, 4)
    return b.build(b.requant("act", x, 1.0, -16, 15, shift=3, mult=mult, add=add, rounding=Rounding.HALF_UP))


def residual() -> QNet:
    """A value read twice; branches with factors, one below zero."""
    rng = np.random.default_rng(4)
    b = NetBuilder("residual")
    x = b.input("x", (6,), I4)
    y = b.requant("half", b.dense("fc", x, weights(rng, 6, 6)), 1.0, -8, 7, 2)
    scaled = b.requant("scaled", y, 4.0, -4, 3, 2)
    flipped = b.requant("flipped", y, 1.0, -8, 7, 0, mult=-1)
    return b.build(b.add("sum", [x, scaled, flipped], 1.0, [1, 4, -1]))


def residual_image() -> QNet:
    rng = np.random.default_rng(5)
    b = NetBuilder("residual_image")
    x = b.input("x", (4, 4, 3), I4)
    y = b.conv("conv", x, weights(rng, 3, 3, 3, 3), rng.integers(-5, 5, 3), pads=((1, 1), (1, 1)))
    y = b.requant("act", y, 1.0, -8, 7, 2)
    return b.build(b.requant("out", b.add("sum", [x, y], 1.0), 1.0, 0, 7, 1))


def concat_image() -> QNet:
    """Branches of different width, joined on the channels."""
    rng = np.random.default_rng(6)
    b = NetBuilder("concat_image")
    x = b.input("x", (4, 3, 2), I4)
    left = b.requant("left", b.conv("conv", x, weights(rng, 1, 1, 2, 3)), 1.0, -8, 7, 1)
    right = b.requant("right", x, 1.0, 0, 3, 1)
    return b.build(b.concat("both", [left, x, right], 1.0))


def conv1d() -> QNet:
    rng = np.random.default_rng(7)
    b = NetBuilder("conv1d")
    x = b.input("x", (10, 3), I4)
    x = b.conv("conv", x, weights(rng, 3, 3, 4), rng.integers(-5, 5, 4), strides=(2,), pads=((0, 1),))
    x = b.requant("act", x, 1.0, 0, 7, 2)
    x = b.pool("pool", x, "max", (2,))
    x = b.dense("fc", b.reshape("flat", x, (8,)), weights(rng, 8, 3))
    return b.build(x)


def conv1d_dilated() -> QNet:
    rng = np.random.default_rng(8)
    b = NetBuilder("conv1d_dilated")
    x = b.input("x", (12, 2), I4)
    return b.build(b.conv("conv", x, weights(rng, 3, 2, 3), dilations=(2,), pads=((2, 2),)))


def conv2d() -> QNet:
    rng = np.random.default_rng(9)
    b = NetBuilder("conv2d")
    x = b.input("x", (6, 5, 2), U4)
    x = b.conv("conv", x, weights(rng, 3, 3, 2, 3), rng.integers(-5, 5, 3))
    x = b.requant("act", x, 1.0, 0, 15, 2)
    x = b.conv("point", x, weights(rng, 1, 1, 3, 4))
    return b.build(x)


def conv2d_strided() -> QNet:
    """Strides and padding of their own on every side; places at the edge are left over."""
    rng = np.random.default_rng(10)
    b = NetBuilder("conv2d_strided")
    x = b.input("x", (8, 7, 2), I4)
    return b.build(b.conv("conv", x, weights(rng, 3, 2, 2, 3), strides=(2, 2), pads=((1, 0), (0, 2))))


def conv2d_dilated() -> QNet:
    rng = np.random.default_rng(11)
    b = NetBuilder("conv2d_dilated")
    x = b.input("x", (7, 7, 2), I4)
    return b.build(b.conv("conv", x, weights(rng, 3, 3, 2, 2), dilations=(2, 2), pads=((1, 1), (1, 1))))


def conv2d_grouped() -> QNet:
    rng = np.random.default_rng(12)
    b = NetBuilder("conv2d_grouped")
    x = b.input("x", (5, 5, 4), I4)
    return b.build(b.conv("conv", x, weights(rng, 3, 3, 2, 6), rng.integers(-5, 5, 6), groups=2))


def depthwise_separable() -> QNet:
    rng = np.random.default_rng(13)
    b = NetBuilder("depthwise_separable")
    x = b.input("x", (5, 6, 3), I4)
    x = b.conv("depth", x, weights(rng, 3, 3, 1, 3), rng.integers(-5, 5, 3), pads=((1, 1), (1, 1)), groups=3)
    x = b.requant("act", x, 1.0, -8, 7, 1)
    return b.build(b.conv("point", x, weights(rng, 1, 1, 3, 4), rng.integers(-5, 5, 4)))


def depthwise1d() -> QNet:
    rng = np.random.default_rng(14)
    b = NetBuilder("depthwise1d")
    x = b.input("x", (9, 3), I4)
    return b.build(b.conv("depth", x, weights(rng, 3, 1, 3), rng.integers(-5, 5, 3), strides=(2,), groups=3))


def max_pool_padded() -> QNet:
    """Windows that overlap and hang over the edge; values below zero, so that a padded zero must not win."""
    b = NetBuilder("max_pool_padded")
    x = b.input("x", (5, 5, 2), I4, lo=-8, hi=-1)
    return b.build(b.pool("pool", x, "max", (3, 3), (2, 2), ((1, 1), (1, 1))))


def pools() -> QNet:
    """Maximum with a row left over, then the average of all places."""
    b = NetBuilder("pools")
    x = b.input("x", (7, 6, 3), I4)
    x = b.pool("max", x, "max", (2, 2))
    x = b.pool("mean", x, "sum", (3, 3), scale=1 / 9)
    return b.build(b.reshape("flat", x, (3,)))


def sum_pool_padded() -> QNet:
    b = NetBuilder("sum_pool_padded")
    x = b.input("x", (7, 2), I4)
    return b.build(b.pool("sum", x, "sum", (3,), (2,), ((1, 1),)))


def thresholds() -> QNet:
    """Per channel, rising and falling, some never or always reached; then one row for all."""
    rng = np.random.default_rng(15)
    b = NetBuilder("thresholds")
    x = b.input("x", (4,), I6)
    x = b.dense("fc", x, weights(rng, 4, 4))
    levels = np.sort(rng.integers(-60, 60, (4, 7)), axis=1)
    levels[0, 0], levels[1, -1], levels[2, 3] = -(10**6), 10**6, levels[2, 2]
    x = b.thresholds("per_channel", x, 1.0, levels, base=[-4, 3, 0, 2], step=[1, -1, 1, -1])
    return b.build(b.thresholds("sign", x, 1.0, [[0]], base=-1, step=2))


def thresholds_image() -> QNet:
    rng = np.random.default_rng(16)
    b = NetBuilder("thresholds_image")
    x = b.input("x", (3, 4, 2), I6)
    return b.build(b.thresholds("levels", x, 1.0, np.sort(rng.integers(-30, 30, (2, 3)), axis=1), base=-2))


def lut() -> QNet:
    rng = np.random.default_rng(17)
    b = NetBuilder("lut")
    x = b.input("x", (5,), I6)
    return b.build(b.lut("table", x, 1.0, rng.integers(-100, 100, 80), offset=-40))


def argmax() -> QNet:
    """Many equal values: the first of them wins."""
    rng = np.random.default_rng(18)
    b = NetBuilder("argmax")
    x = b.input("x", (4,), QuantType(2, True))
    x = b.requant("act", b.dense("fc", x, weights(rng, 4, 5)), 1.0, 0, 3, 1)
    return b.build(b.argmax("winner", x))


def argmax_places() -> QNet:
    """One winner per place."""
    b = NetBuilder("argmax_places")
    x = b.input("x", (3, 2, 4), QuantType(2, True))
    return b.build(b.argmax("winner", x))


def dense_on_places() -> QNet:
    """A Dense that works on the last axis of an image, and one on a sequence."""
    rng = np.random.default_rng(19)
    b = NetBuilder("dense_on_places")
    x = b.input("x", (2, 3, 4), I4)
    x = b.requant("act", b.dense("fc1", x, weights(rng, 4, 3), [1, -2, 3]), 1.0, -8, 7, 1)
    x = b.reshape("sequence", x, (6, 3))
    return b.build(b.dense("fc2", x, weights(rng, 3, 2)))


def reshapes() -> QNet:
    """Reshapes that cut through the channels."""
    rng = np.random.default_rng(20)
    b = NetBuilder("reshapes")
    x = b.input("x", (4, 3), I4)
    x = b.reshape("other", x, (3, 4))
    x = b.requant("act", x, 1.0, -8, 7, 1, mult=[1, 2, 3, -1])
    x = b.reshape("image", x, (2, 3, 2))
    x = b.requant("again", b.conv("conv", x, weights(rng, 2, 2, 2, 2)), 1.0, -16, 15, 1)
    return b.build(b.reshape("flat", x, (4,)))


def pad_upsample() -> QNet:
    b = NetBuilder("pad_upsample")
    x = b.input("x", (2, 3, 2), I4, lo=1, hi=7)
    x = b.pad("frame", x, ((1, 0), (2, 1)))
    return b.build(b.upsample("larger", x, (2, 3)))


def pad_upsample1d() -> QNet:
    b = NetBuilder("pad_upsample1d")
    x = b.input("x", (4, 2), I4)
    return b.build(b.upsample("larger", b.pad("frame", x, ((1, 2),)), (3,)))


def wide() -> QNet:
    """Accumulators of more than 32 bits."""
    rng = np.random.default_rng(21)
    b = NetBuilder("wide")
    x = b.input("x", (4,), QuantType(16, True))
    x = b.dense("fc1", x, rng.integers(-(2**15), 2**15, (4, 3)), rng.integers(-(2**30), 2**30, 3))
    x = b.requant("act", x, 1.0, -(2**20), 2**20 - 1, 12)
    return b.build(b.dense("fc2", x, rng.integers(-(2**15), 2**15, (3, 2))))


def huge() -> QNet:
    """Accumulators that a double cannot hold."""
    rng = np.random.default_rng(24)
    b = NetBuilder("huge")
    x = b.input("x", (4,), QuantType(28, True))
    x = b.dense("fc", x, rng.integers(-(2**27), 2**27, (4, 3)), rng.integers(-(2**40), 2**40, 3))
    return b.build(b.requant("act", x, 1.0, -(2**15), 2**15 - 1, 40))


def bits() -> QNet:
    """One-bit values and weights of one and two bits, -2 among them."""
    rng = np.random.default_rng(22)
    b = NetBuilder("bits")
    x = b.input("x", (8,), QuantType(1, False))
    x = b.thresholds("sign1", b.dense("fc1", x, rng.integers(-2, 2, (8, 6))), 1.0, [[0]])
    x = b.dense("fc2", x, rng.integers(0, 2, (6, 4)))
    return b.build(b.thresholds("sign2", x, 1.0, [[2]], base=-1, step=2))


def awkward_names() -> QNet:
    """Names that C++, HDL or a tool keeps for itself, and names that differ in case only."""
    rng = np.random.default_rng(23)
    b = NetBuilder("int")
    x = b.input("input", (4,), I4)
    x = b.requant("Class", b.dense("class", x, weights(rng, 4, 4)), 1.0, -8, 7, 1)
    x = b.requant("begin", b.dense("module", x, weights(rng, 4, 4)), 1.0, -8, 7, 1)
    return b.build(b.dense("output", x, weights(rng, 4, 2)))


NETS: dict[str, Callable[[], QNet]] = {
    "dense": dense_net,
    "real_scales": real_scales,
    "requants_saturate": lambda: requants(Overflow.SATURATE),
    "requants_wrap": lambda: requants(Overflow.WRAP),
    "odd_range": odd_range,
    "per_channel": per_channel,
    "residual": residual,
    "residual_image": residual_image,
    "concat_image": concat_image,
    "conv1d": conv1d,
    "conv1d_dilated": conv1d_dilated,
    "conv2d": conv2d,
    "conv2d_strided": conv2d_strided,
    "conv2d_dilated": conv2d_dilated,
    "conv2d_grouped": conv2d_grouped,
    "depthwise_separable": depthwise_separable,
    "depthwise1d": depthwise1d,
    "max_pool_padded": max_pool_padded,
    "pools": pools,
    "sum_pool_padded": sum_pool_padded,
    "thresholds": thresholds,
    "thresholds_image": thresholds_image,
    "lut": lut,
    "argmax": argmax,
    "argmax_places": argmax_places,
    "dense_on_places": dense_on_places,
    "reshapes": reshapes,
    "pad_upsample": pad_upsample,
    "pad_upsample1d": pad_upsample1d,
    "wide": wide,
    "huge": huge,
    "bits": bits,
    "awkward_names": awkward_names,
}


def inputs(net: QNet, rows: int) -> np.ndarray:
    """Corners (all lowest, all highest, both in turn) and random rows, (rows, *shape)."""
    rng = np.random.default_rng(99)
    lo, hi = net.input.lo, net.input.hi
    x = rng.integers(lo, hi + 1, (rows, *net.input.shape))
    x[0], x[1] = lo, hi
    x[2].flat[0::2], x[2].flat[1::2] = lo, hi
    x[3] = min(max(0, lo), hi)
    return x
