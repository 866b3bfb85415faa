"""Each op against a few lines of plain Python, which follow docs/ir.md word by word."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from bitsmith.models.ir import NetBuilder, Overflow, QNet, QuantType, Rounding, execute

I8 = QuantType(8, True)


def run(net: QNet, rng: np.random.Generator, rows: int = 5) -> tuple[np.ndarray, np.ndarray]:
    x = rng.integers(net.input.lo, net.input.hi + 1, (rows, *net.input.shape))
    return x, execute(net, x)


def one_op(build, shape, kind=I8) -> QNet:
    b = NetBuilder("t")
    return b.build(build(b, b.input("x", shape, kind)))


def test_dense(rng: np.random.Generator) -> None:
    weight, bias = rng.integers(-7, 8, (4, 3)), rng.integers(-50, 50, 3)
    x, y = run(one_op(lambda b, v: b.dense("y", v, weight, bias), (2, 4)), rng)
    for n, p, o in np.ndindex(y.shape):
        assert y[n, p, o] == bias[o] + sum(int(x[n, p, i]) * int(weight[i, o]) for i in range(4))


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize(("strides", "dilations"), [((1, 1), (1, 1)), ((2, 1), (1, 2)), ((1, 3), (2, 1))])
def test_conv_2d(rng: np.random.Generator, groups: int, strides, dilations) -> None:
    weight = rng.integers(-7, 8, (3, 2, 4 // groups, 8))
    bias = rng.integers(-9, 9, 8)
    pads = ((1, 0), (2, 1))
    net = one_op(lambda b, v: b.conv("y", v, weight, bias, 1.0, strides, pads, dilations, groups), (6, 5, 4))
    x, y = run(net, rng, 2)
    for n, r, c, o in np.ndindex(y.shape):
        total = int(bias[o])
        for i, j, k in itertools.product(range(3), range(2), range(4 // groups)):
            row, col = r * strides[0] + i * dilations[0] - 1, c * strides[1] + j * dilations[1] - 2
            if 0 <= row < 6 and 0 <= col < 5:
                channel = o // (8 // groups) * (4 // groups) + k
                total += int(x[n, row, col, channel]) * int(weight[i, j, k, o])
        assert y[n, r, c, o] == total


def test_conv_1d(rng: np.random.Generator) -> None:
    weight = rng.integers(-7, 8, (3, 2, 5))
    x, y = run(one_op(lambda b, v: b.conv("y", v, weight, strides=(2,), pads=((1, 1),)), (7, 2)), rng)
    assert y.shape[1:] == (4, 5)
    padded = np.pad(x, ((0, 0), (1, 1), (0, 0)))
    for n, p, o in np.ndindex(y.shape):
        assert y[n, p, o] == (padded[n, 2 * p : 2 * p + 3] * weight[:, :, o]).sum()


def test_pools(rng: np.random.Generator) -> None:
    pads = ((1, 0), (0, 1))
    top = one_op(lambda b, v: b.pool("y", v, "max", (2, 3), (2, 1), pads), (5, 4, 2))
    x, y = run(top, rng)
    total = one_op(lambda b, v: b.pool("y", v, "sum", (2, 3), (2, 1), pads), (5, 4, 2))
    s = execute(total, x)
    for n, r, c, k in np.ndindex(y.shape):
        places = [
            int(x[n, i, j, k])
            for i, j in itertools.product(range(2 * r - 1, 2 * r + 1), range(c, c + 3))
            if 0 <= i < 5 and 0 <= j < 4
        ]
        assert y[n, r, c, k] == max(places)
        assert s[n, r, c, k] == sum(places)


def rounded(v: Fraction, rounding: Rounding) -> int:
    if rounding is Rounding.FLOOR:
        return math.floor(v)
    if rounding is Rounding.HALF_UP:
        return math.floor(v + Fraction(1, 2))
    return round(v)  # Python rounds half to even


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("overflow", list(Overflow))
@pytest.mark.parametrize("shift", [0, 1, 3])
def test_requant_on_every_input(rounding: Rounding, overflow: Overflow, shift: int) -> None:
    mult, add = np.array([1, -3]), np.array([2, 5])
    net = one_op(lambda b, v: b.requant("y", v, 1.0, -8, 7, shift, mult, add, rounding, overflow), (2,))
    x = np.stack([np.arange(-128, 128)] * 2, axis=-1)
    y = execute(net, x)
    for n, c in np.ndindex(y.shape):
        v = rounded(Fraction(int(x[n, c] * mult[c] + add[c]), 2**shift), rounding)
        assert y[n, c] == (min(max(v, -8), 7) if overflow is Overflow.SATURATE else (v + 8) % 16 - 8)


def test_half_even_is_numpys() -> None:
    net = one_op(lambda b, v: b.requant("y", v, 1.0, -999, 999, 2), (1,))
    x = np.arange(-128, 128)[:, None]
    assert (execute(net, x) == np.rint(x / 4)).all()


def test_thresholds_rising_and_falling() -> None:
    rows = np.array([[-5, 0, 0, 9], [1, 2, 3, 4]])
    net = one_op(lambda b, v: b.thresholds("y", v, 1.0, rows, base=[-1, 4], step=[2, -1]), (2,))
    x = np.stack([np.arange(-128, 128)] * 2, axis=-1)
    y = execute(net, x)
    for n in range(256):
        assert y[n, 0] == -1 + 2 * sum(x[n, 0] >= t for t in rows[0])
        assert y[n, 1] == 4 - sum(x[n, 1] >= t for t in rows[1])


def test_lut(rng: np.random.Generator) -> None:
    table = rng.integers(-99, 99, 256)
    net = one_op(lambda b, v: b.lut("y", v, 0.5, table, -128), (1,))
    assert (execute(net, np.arange(-128, 128)[:, None])[:, 0] == table).all()


def test_add_concat_reshape_pad_upsample_argmax(rng: np.random.Generator) -> None:
    b = NetBuilder("t")
    x = b.input("x", (2, 3, 2), I8)
    q = b.requant("q", x, 4.0, -32, 31, 2)
    s = b.add("s", [x, q], 1.0, (1, -4))
    joined = b.concat("c", [s, x], 1.0)
    big = b.upsample("u", b.pad("p", joined, ((1, 0), (0, 2))), (2, 1))
    net = b.build(b.argmax("a", b.reshape("r", big, (6, 5, 4))))
    assert net["r"].shape == (6, 5, 4)
    data = rng.integers(-128, 128, (4, 2, 3, 2))
    minus = data - 4 * np.clip(np.rint(data / 4), -32, 31).astype(int)
    wide = np.concatenate([minus, data], axis=-1)
    wide = np.pad(wide, ((0, 0), (1, 0), (0, 2), (0, 0))).repeat(2, axis=1)
    assert (execute(net, data)[..., 0] == wide.argmax(axis=-1)).all()


def test_argmax_takes_the_first_of_equals() -> None:
    net = one_op(lambda b, v: b.argmax("y", v), (3,))
    assert execute(net, np.array([[1, 5, 5], [2, 2, 2], [0, 1, 3]])).ravel().tolist() == [1, 0, 2]
    assert net.output.type == QuantType(2, False)
