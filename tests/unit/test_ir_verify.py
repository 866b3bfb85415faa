"""Every rule of ``verify`` refuses what breaks it, with a message that names the op."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bitsmith.models.ir import (
    InputError,
    InvalidNetError,
    NetBuilder,
    Overflow,
    QNet,
    QuantType,
    execute,
    problems,
    quantize_input,
    verify,
)
from bitsmith.models.ir.passes import fuse_requants, narrow


@pytest.fixture
def net(rng: np.random.Generator) -> QNet:
    b = NetBuilder("small")
    x = b.input("x", (4,), QuantType(6, True, 0.25))
    d = b.dense("d", x, rng.integers(-3, 4, (4, 3)), rng.integers(-9, 9, 3), 0.5)
    q = b.requant("q", d, 0.5, 0, 15, 2)
    t = b.thresholds("t", d, 0.5, [[-3, 0, 8]])
    return b.build(b.add("s", [q, t], 0.5))


def broken(net: QNet, name: str, /, **changes: object) -> list[str]:
    return problems(net.with_ops(tuple(replace(op, **changes) if op.name == name else op for op in net.ops)))


@pytest.mark.parametrize(
    ("op", "changes", "message"),
    [
        ("d", {"name": "q"}, "names must be unique"),
        ("d", {"name": "1d"}, "1d: a name must be letters"),
        ("d", {"inputs": ("s",)}, r"d: reads \['s'\] before they are defined"),
        ("d", {"inputs": ()}, "d: a dense must not have 0 inputs"),
        ("s", {"inputs": ("q", "q")}, "t: nobody reads it"),
        ("d", {"weight_type": QuantType(2, True, 0.5)}, "d: weights .* leave their type"),
        ("d", {"bias": np.zeros(4)}, r"d: bias must have shape \(3,\)"),
        ("q", {"lo": 3, "hi": 2}, "q: empty range 3..2"),
        ("q", {"hi": 14, "overflow": Overflow.WRAP}, "q: wrap needs a power of two of values, 0..14 has 15"),
        ("q", {"shift": -1}, "q: shift must be 0 to 62"),
        ("t", {"thresholds": np.array([[3, 0]])}, "t: thresholds of a channel must ascend"),
        ("s", {"factors": (1, 0)}, "s: needs one factor other than zero per input"),
        ("q", {"mult": np.array([1, 2])}, r"q: mult must have shape \(\) or \(3,\)"),
        ("t", {"base": np.array([1, 2])}, "t: base must have 1 or 3 rows"),
        ("d", {"type": QuantType(12, True, (0.125, 0.125))}, "d: 2 scales for 3 channels"),
        ("d", {"shape": (4,)}, r"d: its inputs give shape \(3,\), it says \(4,\)"),
        ("d", {"weight": np.ones((5, 3), int)}, "d: weight takes 5 channels, the input has 4"),
        ("d", {"type": QuantType(12, True, 0.5)}, "d: its inputs give scale 0.125, it says 0.5"),
        ("s", {"factors": (2, 1)}, "s: inputs with the scales .* do not meet"),
        ("d", {"type": QuantType(5, True, 0.125)}, "d: can hold .*, its type i5"),
    ],
)
def test_rules(net: QNet, op: str, changes: dict[str, object], message: str) -> None:
    assert problems(net) == []
    found = broken(net, op, **changes)
    assert found
    with pytest.raises(InvalidNetError, match=message):
        raise InvalidNetError("\n".join(found))


def test_verify_lists_everything(net: QNet) -> None:
    ops = tuple(replace(op, shape=(9,)) if op.name in "dq" else op for op in net.ops)
    with pytest.raises(InvalidNetError, match=r"net small is not valid:\n  d: (.|\n)*\n  t: (.|\n)*\n  s: "):
        verify(net.with_ops(ops))


def test_sums_beyond_62_bits_are_refused() -> None:
    b = NetBuilder("big")
    x = b.input("x", (2,), QuantType(40, True))
    with pytest.raises(OverflowError, match="more than 62 bits"):
        b.dense("d", x, np.full((2, 1), 2**30))


def test_execute_refuses_what_is_no_input(net: QNet) -> None:
    with pytest.raises(InputError, match="takes integers"):
        execute(net, np.zeros((1, 4)))
    with pytest.raises(InputError, match=r"rows of shape \(4,\), the data have \(3,\)"):
        execute(net, np.zeros((1, 3), int))
    with pytest.raises(InputError, match=r"x left its range -32\.\.31"):
        execute(net, np.full((1, 4), 32))
    with pytest.raises(InputError, match="NaN"):
        quantize_input(net, np.full((1, 4), np.nan))


def test_quantize_input_rounds_half_even_and_saturates(net: QNet) -> None:
    x = np.array([[0.125, 0.375, -1e30, 99.0]])
    assert quantize_input(net, x).tolist() == [[0, 2, -32, 31]]


def test_narrow_undoes_widening(net: QNet) -> None:
    wide = net.with_ops(tuple(replace(op, type=QuantType(30, True, op.type.scale)) for op in net.ops))
    assert [op.type for op in narrow(verify(wide)).ops] == [op.type for op in net.ops]


def test_fuse_keeps_the_integers_and_the_op_count_falls(rng: np.random.Generator) -> None:
    b = NetBuilder("f")
    x = b.input("x", (3,), QuantType(6, True))
    first = b.requant("bias", x, 0.25, -999, 999, 0, mult=[4, 8, -2], add=[1, 2, 3])
    net = b.build(b.requant("q", first, 1.0, -8, 7, 3, mult=3, add=-1))
    fused = verify(fuse_requants(net))
    assert [op.name for op in fused.ops] == ["x", "q"]
    data = rng.integers(-32, 32, (200, 3))
    assert (execute(fused, data) == execute(net, data)).all()


def test_fuse_leaves_what_clips() -> None:
    b = NetBuilder("f")
    x = b.input("x", (3,), QuantType(6, True))
    net = b.build(b.requant("q", b.requant("clips", x, 0.25, -9, 9, 0, mult=4), 1.0, -8, 7, 3))
    assert fuse_requants(net).ops == net.ops


def test_a_scale_per_channel_goes_through_depthwise_convolutions_only() -> None:
    b = NetBuilder("scales")
    x = b.input("x", (4, 4, 2), QuantType(4, True, (0.5, 0.3)))
    depthwise = b.conv("depthwise", x, np.ones((2, 2, 1, 2), np.int64), scale=(0.1, 0.2), groups=2)
    assert b.ops[depthwise].type.scales == (0.5 * 0.1, 0.3 * 0.2)
    with pytest.raises(ValueError, match="do not meet"):
        b.conv("mixes", x, np.ones((2, 2, 2, 2), np.int64))
    with pytest.raises(ValueError, match="do not meet"):
        b.dense("mixes", x, np.ones((2, 2), np.int64))
