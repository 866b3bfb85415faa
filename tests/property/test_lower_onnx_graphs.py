"""Random QONNX graphs: whatever the widths, scales, layers and branches, the net computes qonnx's integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_nets import Graph

from bitsmith.models.ir import random_inputs
from bitsmith.models.lower.compare import prove
from bitsmith.models.lower.qonnx import lowered

SCALES = st.one_of(st.sampled_from([0.0625, 0.25, 0.5, 1.0]), st.floats(1 / 64, 1.5, width=32))
BITS = st.integers(2, 6)


def activation(draw: Any, g: Graph, x: str, channels: int, spatial: int) -> str:
    """Some functions, then a quantizer."""
    if draw(st.booleans()):
        x = g.batchnorm(x, channels)
    kind = draw(st.sampled_from(["none", "relu", "leaky", "clip", "scaled"]))
    if kind == "relu":
        x = g.node("Relu", x)
    elif kind == "leaky":
        x = g.node("LeakyRelu", x, alpha=draw(st.sampled_from([0.125, 0.1])))
    elif kind == "clip":
        x = g.node("Clip", x, g.const(-0.75), g.const(1.25))
    elif kind == "scaled":
        x = g.node(
            "Add", g.node("Mul", x, g.const(draw(SCALES))), g.const(g.rng.normal(size=(channels, *(1,) * spatial)))
        )
    mode = draw(st.sampled_from(["ROUND", "FLOOR", "CEIL"]))
    scale: Any = draw(SCALES)
    if draw(st.integers(0, 3)) == 0:
        scale = np.asarray(scale * g.rng.uniform(0.5, 2, (1, channels, *(1,) * spatial)), np.float32)
        return g.quant(x, scale, draw(BITS), mode=mode)
    return g.quant(x, scale, draw(BITS), signed=draw(st.integers(0, 1)), narrow=draw(st.integers(0, 1)), mode=mode)


@st.composite
def dense_graphs(draw: Any) -> Any:
    g = Graph(draw(st.integers(2, 8)), seed=draw(st.integers(0, 2**16)))
    x, width = g.quant("x", draw(SCALES), draw(BITS)), g.shape[0]
    for _ in range(draw(st.integers(1, 3))):
        wider = draw(st.integers(2, 8))
        w = g.weight(width, wider, scale=draw(SCALES), bits=draw(st.integers(2, 5)))
        y = g.node("MatMul", x, w)
        x, width = activation(draw, g, y, wider, 0), wider
        if draw(st.booleans()):
            x = g.quant(x, draw(SCALES), draw(BITS))
    return g.model(x)


@st.composite
def conv_graphs(draw: Any) -> Any:
    channels, size = draw(st.integers(1, 3)), draw(st.integers(4, 7))
    g = Graph(channels, size, size, seed=draw(st.integers(0, 2**16)))
    x = g.quant("x", draw(SCALES), draw(BITS))
    kernel = draw(st.integers(1, 3))
    options = {
        "kernel_shape": [kernel, kernel],
        "strides": draw(st.sampled_from([[1, 1], [2, 1]])),
        "pads": [draw(st.integers(0, 2)) for _ in range(4)],
    }
    wider = draw(st.integers(1, 4))
    w = g.weight(wider, channels, kernel, kernel, scale=g.rng.uniform(0.1, 0.4, (wider, 1, 1, 1)).astype(np.float32))
    x = activation(draw, g, g.node("Conv", x, w, **options), wider, 2)
    x = g.quant(x, draw(SCALES), 4)  # one scale for all channels, as a second layer takes it
    pads, steps = options["pads"], options["strides"]
    places = [(size + pads[i] + pads[i + 2] - kernel) // steps[i] + 1 for i in range(2)]
    if min(places) > 1 and draw(st.booleans()):
        x = g.node("MaxPool", x, kernel_shape=[2, 2], strides=[draw(st.integers(1, 2))] * 2)
    if draw(st.booleans()):
        branch = g.quant(
            g.node("Conv", x, g.weight(wider, wider, 1, 1, scale=0.3), kernel_shape=[1, 1]), draw(SCALES), 3
        )
        x = g.quant(g.node("Add", x, branch), draw(SCALES), 4)
    return g.model(x)


def check(model: Any) -> None:
    low = lowered(model, name="random")
    x = random_inputs(low.net, 60, seed=1)
    done = prove(low, x, low.net.input.type.real(x))[0]
    assert done.mismatching == ()


@settings(max_examples=40, deadline=None)
@given(dense_graphs())
def test_dense_graphs(model: Any) -> None:
    check(model)


@settings(max_examples=25, deadline=None)
@given(conv_graphs())
def test_conv_graphs(model: Any) -> None:
    check(model)


@pytest.mark.nightly
@settings(max_examples=1000, deadline=None)
@given(st.one_of(dense_graphs(), conv_graphs()))
def test_many_graphs(model: Any) -> None:
    check(model)
