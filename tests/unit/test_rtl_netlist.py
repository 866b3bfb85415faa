"""The unrolled backend's logic, evaluated in Python: every op against its own meaning in the IR."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitsmith.hls.backends.rtl.unrolled.layers import ZERO, Layer, lower_net
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind, Netlist, NetlistBuilder, Node
from bitsmith.models.ir import NetBuilder, Overflow, QNet, QuantType, Rounding, trace
from bitsmith.models.ir.numerics import fit, round_shift


def evaluate(net: Netlist, ports: Sequence[np.ndarray]) -> np.ndarray:
    """Outputs (n, outputs) for ports (n, elements); every node must keep to its interval."""
    values: list[np.ndarray] = []
    for node in net.nodes:
        value = _meaning(node, [values[a] for a in node.args], net, ports)
        assert (value >= node.lo).all() and (value <= node.hi).all(), node
        values.append(value)
    n = len(ports[0])
    return np.stack([np.broadcast_to(values[o], n) for o in net.outputs], axis=1)


def _meaning(node: Node, a: list[np.ndarray], net: Netlist, ports: Sequence[np.ndarray]) -> np.ndarray:
    p = node.params
    if node.kind is Kind.INPUT:
        return ports[p[0]][:, p[1]]
    if node.kind is Kind.CONST:
        return np.int64(p[0])
    if node.kind is Kind.ADD:
        return (a[0] << p[0]) + (a[1] << p[1])
    if node.kind is Kind.SUB:
        return (a[0] << p[0]) - (a[1] << p[1])
    if node.kind is Kind.SHL:
        return a[0] << p[0]
    if node.kind is Kind.SHR:
        return a[0] >> p[0]
    if node.kind is Kind.EVEN:
        whole = a[0] >> p[0]
        return np.where(whole << p[0] == a[0], whole & ~1, whole)
    if node.kind is Kind.CLIP:
        return np.clip(a[0], node.lo, node.hi)
    if node.kind is Kind.LOW:
        low = a[0] & ((1 << p[0]) - 1)
        return np.where(p[1] and (low >> (p[0] - 1)), low - (1 << p[0]), low)
    if node.kind is Kind.GE:
        return (a[0] >= a[1]).astype(np.int64)
    if node.kind is Kind.MUX:
        return np.where(a[0], a[1], a[2])
    if node.kind is Kind.COUNT:
        return sum((a[0] >= t).astype(np.int64) for t in p)
    assert node.kind is Kind.TABLE
    return np.array(p)[a[0] % (1 << net.nodes[node.args[0]].width)]


def run_layers(layers: dict[str, Layer], x: np.ndarray) -> dict[str, np.ndarray]:
    """Every op's value (n, *shape), its deferred bias added."""
    signals: dict[str, np.ndarray] = {}
    found = {}
    for name, layer in layers.items():
        flat = np.zeros((len(x), layer.size), np.int64)
        if not layer.units:
            flat = x.reshape(len(x), -1)
        sources = [signals[i] for i in layer.op.inputs]
        for place in layer.instances:
            ports = [
                np.where(e == ZERO, 0, source[:, np.maximum(e, 0)])
                for e, source in zip(place.ins, sources, strict=True)
            ]
            flat[:, place.outs] = evaluate(layer.units[place.unit], ports)
        signals[name] = flat
        assert QuantType(layer.bits, layer.signed).contains(flat), name
        found[name] = flat.reshape(len(x), *layer.op.shape) + layer.offset
    return found


def small_requant(b: NetBuilder, rng: np.random.Generator, x: str, step: int) -> str:
    """A Requant to 2 to 5 bits with every choice drawn."""
    channels = b.ops[x].shape[-1]
    per_channel = bool(rng.integers(2))
    bits = int(rng.integers(2, 6))
    lo = int(rng.integers(-(1 << bits), 2))
    wrap = bool(rng.integers(2))
    hi = lo + (1 << bits) - 1 if wrap else lo + int(rng.integers(0, 1 << bits))
    return b.requant(
        f"r{step}",
        x,
        1.0,
        lo,
        hi,
        int(rng.integers(0, max(2, b.ops[x].type.bits - 2))),
        mult=rng.integers(-6, 7, channels if per_channel else ()),
        add=rng.integers(-40, 41, channels if per_channel else ()),
        rounding=list(Rounding)[rng.integers(3)],
        overflow=Overflow.WRAP if wrap else Overflow.SATURATE,
    )


def random_step(b: NetBuilder, rng: np.random.Generator, x: str, step: int) -> str:
    """One random op behind ``x``."""
    op = b.ops[x]
    channels, axes = op.shape[-1], len(op.shape) - 1
    pads = tuple((int(rng.integers(0, 2)), int(rng.integers(0, 2))) for _ in range(axes))
    if op.type.bits > 12:
        return small_requant(b, rng, x, step)
    choice = rng.integers(10)
    if choice == 0:
        return b.dense(f"fc{step}", x, rng.integers(-7, 8, (channels, 3)), rng.integers(-30, 31, 3))
    if choice == 1 and axes:
        groups = channels if rng.integers(2) else 1
        weight = rng.integers(-3, 4, (*(2,) * axes, channels // groups, 2 * groups))
        strides = tuple(int(s) for s in rng.integers(1, 3, axes))
        bias = rng.integers(-9, 10, 2 * groups)
        return b.conv(f"c{step}", x, weight, bias, strides=strides, pads=((1, 1),) * axes, groups=groups)
    if choice == 2 and axes:
        mode = "max" if rng.integers(2) else "sum"
        return b.pool(f"p{step}", x, mode, (2,) * axes, (1,) * axes, pads)
    if choice == 3:
        rows = int(rng.choice([1, channels]))
        levels = np.sort(rng.integers(-30, 31, (rows, int(rng.integers(1, 9)))), axis=1)
        return b.thresholds(f"t{step}", x, 1.0, levels, rng.integers(-5, 6, rows), rng.integers(-3, 4, rows))
    if choice == 4 and op.type.bits <= 7:
        return b.lut(f"l{step}", x, 1.0, rng.integers(-9, 10, 1 << op.type.bits), op.type.min)
    if choice == 5:
        return b.add(f"a{step}", [x, x], 1.0, (1, int(rng.choice([-1, 1]))))
    if choice == 6:
        return b.concat(f"k{step}", [x, small_requant(b, rng, x, step)], 1.0)
    if choice == 7 and axes:
        return b.pad(f"d{step}", x, pads)
    if choice == 8 and axes and np.prod(op.shape) < 40:
        return b.upsample(f"u{step}", x, (2,) * axes)
    if choice == 9 and axes:
        return b.reshape(f"s{step}", x, (int(np.prod(op.shape)),))
    return small_requant(b, rng, x, step)


def random_net(seed: int, steps: int = 5) -> QNet:
    """A small net of random ops, its own for every seed."""
    rng = np.random.default_rng(seed)
    b = NetBuilder(f"random{seed}")
    shape = [(5,), (4, 2), (3, 3, 2)][rng.integers(3)]
    bits = int(rng.integers(1, 6))
    kind = QuantType(bits, bool(rng.integers(2)))
    x = b.input("x", shape, kind, lo=kind.min, hi=max(kind.min, kind.max - int(rng.integers(0, 2))))
    for step in range(steps):
        x = random_step(b, rng, x, step)
    if rng.integers(3) == 0:
        x = b.argmax("winner", x)
    return b.build(x)


def random_rows(net: QNet, rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(net.input.lo, net.input.hi + 1, (rows, *net.input.shape))


@settings(max_examples=50, derandomize=True, deadline=None)
@given(st.integers(0, 1 << 30))
def test_every_op_of_random_nets_is_exact(seed: int) -> None:
    check_random_net(seed)


@pytest.mark.nightly
@settings(max_examples=1500, derandomize=True, deadline=None)
@given(st.integers(0, 1 << 30))
def test_every_op_of_many_random_nets_is_exact(seed: int) -> None:
    check_random_net(seed)


def check_random_net(seed: int) -> None:
    net = random_net(seed)
    x = random_rows(net, 30)
    found, expected = run_layers(lower_net(net), x), trace(net, x)
    for name, value in expected.items():
        assert (found[name] == value).all(), name


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("shift", [0, 1, 3, 7])
@pytest.mark.parametrize(("lo", "hi"), [(-40, 41), (0, 15), (-1, 0), (3, 9), (-64, -9)])
def test_round_shift_over_all_inputs(rounding: Rounding, shift: int, lo: int, hi: int) -> None:
    b = NetlistBuilder()
    net = b.finish([b.round_shift(b.input(0, 0, lo, hi), shift, rounding, add) for add in (-5, 0, 4)])
    x = np.arange(lo, hi + 1)
    expected = np.stack([round_shift(x + add, shift, rounding) for add in (-5, 0, 4)], axis=1)
    assert (evaluate(net, [x[:, None]]) == expected).all()


@pytest.mark.parametrize(("lo", "hi"), [(-8, 7), (0, 15), (-7, 7), (3, 10), (-20, -13), (0, 0), (-100, 100)])
@pytest.mark.parametrize("overflow", list(Overflow))
def test_overflow_over_all_inputs(lo: int, hi: int, overflow: Overflow) -> None:
    if overflow is Overflow.WRAP and (hi - lo + 1) & (hi - lo):
        hi = lo + 15
    b = NetlistBuilder()
    x = b.input(0, 0, -50, 60)
    net = b.finish([(b.clip if overflow is Overflow.SATURATE else b.wrap)(x, lo, hi)])
    values = np.arange(-50, 61)
    assert (evaluate(net, [values[:, None]])[:, 0] == fit(values, lo, hi, overflow)).all()


def test_equal_logic_is_made_once_and_constants_cost_nothing() -> None:
    b = NetlistBuilder()
    x, y = b.input(0, 0, -8, 7), b.input(0, 1, 0, 15)
    assert b.add(x, y) == b.add(x, y)
    assert b.add(x, b.const(0)) == x
    assert b.multiply(x, 0) == b.const(0)
    assert b.count(y, [-3, 0, 16, 99]) == b.const(2)
    assert b.clip(x, -8, 7) == x
    assert b.mux(b.at_least(y, b.const(0)), x, y) == x
    kinds = [n.kind for n in b.finish([b.multiply(x, 4)]).nodes]
    assert kinds == [Kind.INPUT, Kind.SHL]


def test_bias_moves_into_the_requant_behind() -> None:
    b = NetBuilder("n")
    x = b.input("x", (3,), QuantType(4, True))
    d = b.dense("d", x, np.eye(3, dtype=int), [5, -6, 7])
    net = b.build(b.requant("q", d, 1.0, -8, 7, 1))
    layers = lower_net(net)
    assert layers["d"].offset.tolist() == [5, -6, 7]
    assert all(n.kind is Kind.INPUT for n in layers["d"].units[0].nodes)
