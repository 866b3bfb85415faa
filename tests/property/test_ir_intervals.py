"""Laws of the ground floor on random nets: intervals are sound, and tight where one op alone decides."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bitsmith.models.ir import NetBuilder, Overflow, QNet, QuantType, Rounding, content_hash, intervals, trace, verify
from bitsmith.models.ir.numerics import exact_matmul
from bitsmith.models.ir.passes import fuse_requants, narrow


@st.composite
def nets(draw: st.DrawFn) -> QNet:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    b = NetBuilder("random")
    kind = QuantType(draw(st.integers(1, 6)), draw(st.booleans()))
    v = b.input("x", (5, 4, int(rng.integers(1, 4))), kind)
    for i in range(draw(st.integers(1, 6))):
        shape = b.ops[v].shape
        steps = [_requant, _thresholds, _add] + ([_conv, _pool, _pad] if min(shape[:-1]) > 1 else [])
        v = draw(st.sampled_from(steps))(b, f"op{i}", v, rng)
    if draw(st.booleans()):
        size = int(np.prod(b.ops[v].shape))
        v = b.dense("d", b.reshape("r", v, (size,)), rng.integers(-3, 4, (size, 3)), rng.integers(-9, 9, 3))
    return b.build(v)


def _conv(b: NetBuilder, name: str, v: str, rng: np.random.Generator) -> str:
    shape = (2, 2, b.ops[v].shape[-1], int(rng.integers(1, 4)))
    pads = ((int(rng.integers(0, 2)), 1), (0, int(rng.integers(0, 2))))
    return b.conv(name, v, rng.integers(-3, 4, shape), rng.integers(-9, 9, shape[-1]), pads=pads)


def _pool(b: NetBuilder, name: str, v: str, rng: np.random.Generator) -> str:
    return b.pool(name, v, "max" if rng.random() < 0.5 else "sum", (2, 2), (1, 1), scale=1.0)


def _pad(b: NetBuilder, name: str, v: str, rng: np.random.Generator) -> str:
    return b.pad(name, v, ((int(rng.integers(0, 2)), 0), (0, 1)))


def _requant(b: NetBuilder, name: str, v: str, rng: np.random.Generator) -> str:
    bits = int(rng.integers(1, 6))
    return b.requant(
        name, v, 1.0, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1, int(rng.integers(0, 4)),
        rng.integers(-3, 4, b.ops[v].shape[-1]), int(rng.integers(-9, 9)),
        list(Rounding)[rng.integers(3)], list(Overflow)[rng.integers(2)],
    )  # fmt: skip


def _thresholds(b: NetBuilder, name: str, v: str, rng: np.random.Generator) -> str:
    channels = b.ops[v].shape[-1]
    rows = np.sort(rng.integers(-20, 20, (channels, 3)), axis=1)
    return b.thresholds(name, v, 1.0, rows, rng.integers(-2, 3, channels), rng.choice([-1, 1], channels))


def _add(b: NetBuilder, name: str, v: str, rng: np.random.Generator) -> str:
    other = b.requant(f"{name}_q", v, 1.0, -4, 3, 1)
    return b.add(name, [v, other], 1.0, (1, int(rng.choice([-1, 1]))))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(nets(), st.integers(0, 2**32))
def test_no_value_leaves_its_interval(net: QNet, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(net.input.lo, net.input.hi + 1, (40, *net.input.shape))
    x[0], x[1] = net.input.lo, net.input.hi
    spans = intervals(net)
    for name, value in trace(net, x).items():
        axes = tuple(range(value.ndim - 1))
        assert (value.min(axis=axes) >= spans[name].lo).all()
        assert (value.max(axis=axes) <= spans[name].hi).all()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(nets(), st.integers(0, 2**32))
def test_passes_keep_the_integers(net: QNet, seed: int) -> None:
    x = np.random.default_rng(seed).integers(net.input.lo, net.input.hi + 1, (30, *net.input.shape))
    expected = trace(net, x)[net.output.name]
    for change in (narrow, fuse_requants):
        after = verify(change(net))
        assert (trace(after, x)[after.output.name] == expected).all()
    assert content_hash(narrow(net)) == content_hash(net), "the builder's types are the narrowest already"


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 40), st.integers(1, 25), st.integers(0, 2**32))
def test_exact_matmul_is_exact_near_its_limits(k: int, bits: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.integers(-(2**bits), 2**bits + 1, (3, k))
    b = rng.integers(-(2**bits), 2**bits + 1, (k, 2))
    bound = float((np.abs(a).astype(object) @ np.abs(b).astype(object)).max())
    assert (exact_matmul(a, b, bound) == a.astype(object) @ b.astype(object)).all()


def test_a_dense_interval_is_reached(rng: np.random.Generator) -> None:
    weight = rng.integers(-5, 6, (6, 3))
    b = NetBuilder("t")
    net = b.build(b.dense("d", b.input("x", (6,), QuantType(4, True)), weight))
    highest = np.where(weight.T > 0, net.input.hi, net.input.lo)
    span = intervals(net)["d"]
    assert [int(trace(net, highest[[c]])["d"][0, c]) for c in range(3)] == span.hi.tolist()
