"""Rewriting a net for hls4ml keeps its integers and leaves only what hls4ml's layers can do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitsmith.hls.backends.hls4ml.layers import layer_names, project_name
from bitsmith.hls.backends.hls4ml.legalise import dilate, legalise, ungroup
from bitsmith.models.ir import Add, Concat, Conv, NetBuilder, Pool, QNet, QuantType, execute

I5 = QuantType(5, True)
PAD = st.tuples(st.integers(0, 2), st.integers(0, 2))


def check_same(net: QNet, seed: int) -> QNet:
    """Both forms of the legal net give the net's integers; returns the one without depthwise convolutions."""
    rng = np.random.default_rng(seed)
    x = rng.integers(net.input.lo, net.input.hi + 1, (5, *net.input.shape))
    expected = execute(net, x)
    for depthwise in (True, False):
        legal = legalise(net, depthwise)
        assert (execute(legal, x) == expected).all()
        assert legal.output.name == net.output.name
        for op in legal.ops:
            if isinstance(op, Conv):
                assert set(op.dilations) == {1} and not any(map(any, op.pads))
                assert op.groups == 1 or (depthwise and op.groups == op.shape[-1])
            if isinstance(op, Pool):
                assert op.mode == "max" and not any(map(any, op.pads))
            if isinstance(op, Add | Concat):
                assert len(op.inputs) == 2
            if isinstance(op, Add):
                assert op.factors == (1, 1)
    return legal


@settings(deadline=None, max_examples=40)
@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilations=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    pads=st.tuples(PAD, PAD),
    groups=st.sampled_from([1, 2, 4]),
    outs=st.sampled_from([4, 8]),
    seed=st.integers(0, 99),
)
def test_any_convolution(kernel, strides, dilations, pads, groups, outs, seed) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    b = NetBuilder("conv")
    x = b.input("x", (8, 9, 4), I5)
    w = rng.integers(-8, 8, (*kernel, 4 // groups, outs))
    check_same(b.build(b.conv("c", x, w, rng.integers(-9, 9, outs), 1.0, strides, pads, dilations, groups)), seed)


@settings(deadline=None, max_examples=40)
@given(
    mode=st.sampled_from(["max", "sum"]),
    window=st.integers(2, 4),
    stride=st.integers(1, 4),
    pads=st.tuples(st.integers(0, 1), st.integers(0, 1)),
    ends=st.tuples(st.integers(-16, 15), st.integers(-16, 15)),
    seed=st.integers(0, 99),
)
def test_any_pool(mode, window, stride, pads, ends, seed) -> None:  # type: ignore[no-untyped-def]
    b = NetBuilder("pool")
    x = b.input("x", (7, 3), I5, lo=min(ends), hi=max(ends))
    check_same(b.build(b.pool("p", x, mode, (window,), (stride,), (pads,))), seed)


def test_a_maximum_below_zero_is_not_beaten_by_padding() -> None:
    b = NetBuilder("below")
    x = b.input("x", (3, 1), I5, lo=-16, hi=-2)
    legal = legalise(b.build(b.pool("p", x, "max", (3,), (1,), ((1, 1),))), True)
    assert execute(legal, np.full((1, 3, 1), -9)).max() == -9


def test_sums_and_joins_of_many_branches() -> None:
    b = NetBuilder("many")
    x = b.input("x", (4,), I5)
    y = b.requant("y", x, 2.0, -8, 7, 1)
    total = b.add("total", [x, y, x, y], 1.0, [1, 2, -1, -2])
    check_same(b.build(b.concat("all", [total, x, b.add("one", [y], 1.0, [-2]), b.concat("only", [x], 1.0)], 1.0)), 1)


def test_thresholds_out_of_reach_and_none_at_all() -> None:
    b = NetBuilder("levels")
    x = b.input("x", (2,), I5)
    far = b.thresholds("far", x, 1.0, [[-(10**12), 3, 10**12]], base=-7)
    legal = check_same(b.build(b.thresholds("constant", far, 1.0, np.zeros((1, 0), int), base=5)), 2)
    assert np.abs(legal["far"].thresholds).max() <= 17  # type: ignore[attr-defined]


def test_kernels_by_hand() -> None:
    w = np.arange(1, 5).reshape(2, 2, 1)  # two taps of two channels, one output
    assert dilate(w, (2,))[..., 0].tolist() == [[1, 2], [0, 0], [3, 4]]
    grouped = np.array([[[1, 2]]])  # one tap, one channel per group, two groups of one output
    assert ungroup(grouped, 2).tolist() == [[[1, 0], [0, 2]]]


@pytest.mark.parametrize(
    ("name", "project"),
    [("max", "max_ip"), ("my net-2", "my_net_2_ip"), ("Digits", "digits_ip"), ("---", "qnet_ip"), ("2é", "n_2_ip")],
)
def test_names_suit_cpp(name: str, project: str) -> None:
    b = NetBuilder(name)
    x = b.input("input", (2,), I5)
    x = b.requant("Bias", x, 1.0, -8, 7, 1)
    net = b.build(b.requant("bias", x, 1.0, -8, 7, 0))
    assert project_name(net) == project
    assert layer_names(net) == {"input": "x_input", "Bias": "op_bias", "bias": "op_bias_2"}
