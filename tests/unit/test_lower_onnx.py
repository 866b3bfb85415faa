"""Every QONNX quantizer, layer and function that the front end knows: integers of the net == qonnx's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx_nets import Graph, exact, per_axis, real_scales

from bitsmith.models.ir import QuantType


@pytest.mark.parametrize("mode", ["ROUND", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN"])
@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("narrow", [0, 1])
def test_rounding_modes(mode: str, signed: int, narrow: int) -> None:
    g = Graph(6)
    x = g.quant("x", 0.125, 6)
    assert exact(g.model(g.quant(x, 0.5, 3, signed, narrow, mode=mode))).net.input.type == QuantType(6, True, 0.125)


@pytest.mark.parametrize("mode", ["CEIL", "FLOOR", "HALF_UP"])
def test_an_input_quantizer_that_no_input_has_stays_an_op(mode: str) -> None:
    g = Graph(4)
    low = exact(g.model(g.quant("x", 0.25, 4, mode=mode)))
    assert not low.rounds_input and low.net.output.kind != "input"


@pytest.mark.parametrize("zero", [-3.0, 1.0, 2.0, 7.0])
def test_zero_points(zero: float) -> None:
    g = Graph(5)
    x = g.quant("x", 0.25, 5, zero=zero)
    exact(g.model(g.quant(x, 1.0, 3, signed=0, zero=zero)))


@pytest.mark.parametrize("scale", [0.3, 0.123, 1.7])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_real_scales(scale: float, bits: int) -> None:
    g = Graph(7)
    y = g.node("MatMul", g.quant("x", 0.25, 5), g.weight(7, 5, scale=0.117, bits=bits + 1))
    exact(g.model(g.quant(y, scale, bits)), noise=20 if bits == 1 else 6)  # a sum that cancels has no sign


def test_scales_per_channel_of_weights_and_values() -> None:
    g = Graph(3, 6, 6)
    w = per_axis(real_scales(g.rng, 4), 4, 1, 1, 1)
    y = g.node("Conv", g.quant("x", 0.11, 4), g.weight(4, 3, 3, 3, scale=w), kernel_shape=[3, 3])
    y = g.quant(g.batchnorm(y, 4), per_axis(real_scales(g.rng, 4), 1, 4, 1, 1), 3, signed=0)
    assert exact(g.model(y)).net.output.type.is_per_channel


def test_scales_per_channel_pass_through_a_depthwise_convolution() -> None:
    """As in MobileNets: no common step is needed where every channel stays alone."""
    g = Graph(4, 6, 6)
    x = g.quant(g.batchnorm(g.quant("x", 0.11, 4), 4), per_axis(real_scales(g.rng, 4), 1, 4, 1, 1), 4, signed=0)
    w = g.weight(4, 1, 3, 3, scale=per_axis(real_scales(g.rng, 4), 4, 1, 1, 1))
    y = g.node("Conv", x, w, kernel_shape=[3, 3], group=4, pads=[1, 1, 1, 1])
    net = exact(g.model(g.quant(g.batchnorm(y, 4), 0.3, 4))).net
    conv = next(op for op in net.ops if op.kind == "conv")
    assert conv.type.is_per_channel and conv.type.bits <= 12


@pytest.mark.parametrize("domain", ["qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general", ""])
def test_the_names_of_the_domain(domain: str) -> None:
    g = Graph(6, domain=domain)
    y = g.node("MatMul", g.quant("x", 0.25, 4), g.weight(6, 3))
    assert exact(g.model(g.quant(y, 0.5, 4))).net.input.type == QuantType(4, True, 0.25)


@pytest.mark.parametrize("scale", [1.0, 0.37])
def test_bipolar(scale: float) -> None:
    g = Graph(8)
    x = g.node("BipolarQuant", "x", g.const(1.0), domain=g.domain)
    w = g.node("BipolarQuant", g.const(g.rng.normal(size=(8, 4))), g.const(scale), domain=g.domain)
    y = g.batchnorm(g.node("MatMul", x, w), 4)
    exact(g.model(g.node("BipolarQuant", y, g.const(scale), domain=g.domain)))


@pytest.mark.parametrize("mode", ["FLOOR", "ROUND", "CEIL"])
@pytest.mark.parametrize("scale", [0.25, 0.3])
def test_trunc(mode: str, scale: float) -> None:
    g = Graph(6)
    x = g.quant("x", scale, 8)
    given = [g.const(v) for v in (scale, 0.0, 8.0, 4.0)]
    exact(g.model(g.node("Trunc", x, *given, domain=g.domain, rounding_mode=mode)))


@pytest.mark.parametrize("mode", ["FLOOR", "ROUND"])
def test_trunc_of_the_second_version(mode: str) -> None:
    g = Graph(6)
    g.version = 2
    x = g.quant("x", 0.25, 8)
    given = [g.const(v) for v in (0.25, 0.0, 8.0, 1.0, 4.0)]
    exact(g.model(g.node("Trunc", x, *given, domain=g.domain, rounding_mode=mode, signed=1, narrow=0)))


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(("scale", "bias"), [(1.0, 0.0), (2.0, -1.0), (0.3, 0.1), (-1.0, 2.0)])
def test_multithreshold(rows: int, scale: float, bias: float) -> None:
    g = Graph(3, 4, 4)
    x = g.quant("x", 0.25, 6)
    steps = np.sort(g.rng.normal(size=(rows, 5)) * 3, axis=1)
    options = {"out_scale": scale, "out_bias": bias, "out_dtype": "INT8"}
    exact(g.model(g.node("MultiThreshold", x, g.const(steps), domain=g.domain, **options)))


def test_multithreshold_on_channels_last() -> None:
    g = Graph(3, 4, 4)
    x = g.node("Transpose", g.quant("x", 0.25, 6), perm=[0, 2, 3, 1])
    steps = g.const(np.sort(g.rng.normal(size=(3, 5)) * 3, axis=1))
    y = g.node("MultiThreshold", x, steps, domain=g.domain, out_dtype="UINT3", data_layout="NHWC")
    exact(g.model(g.node("Transpose", y, perm=[0, 3, 1, 2])))


@pytest.mark.parametrize("transposed", [0, 1])
@pytest.mark.parametrize("bias", ["none", "float", "quantized", "grid"])
def test_gemm(transposed: int, bias: str) -> None:
    g = Graph(6)
    x, w = g.quant("x", 0.25, 4), g.weight(*((4, 6) if transposed else (6, 4)), scale=0.2)
    given = [x, w]
    if bias == "float":
        given.append(g.const(g.rng.normal(size=4)))
    elif bias == "quantized":
        given.append(g.quant(g.const(g.rng.normal(size=4)), np.float32(0.25) * np.float32(0.2), 16))
    elif bias == "grid":
        given.append(g.quant(g.const(g.rng.normal(size=4)), 0.125, 8))
    exact(g.model(g.quant(g.node("Gemm", *given, transB=transposed), 0.31, 4)))


def test_a_real_bias_at_the_end_is_left_out_only_where_the_grid_ends() -> None:
    g = Graph(6)
    y = g.node("Gemm", g.quant("x", 0.25, 4), g.weight(6, 3, scale=0.2), g.const(g.rng.normal(size=3)))
    low = exact(g.model(y))
    assert low.residual is not None and np.abs(low.residual).max() <= low.net.output.type.scales[0] / 2
    assert "real bias" in low.left_out[0]


def test_a_quantized_bias_at_the_end_is_the_layers_own() -> None:
    g = Graph(6)
    bias = g.quant(g.const(g.rng.normal(size=3)), np.float32(0.25) * np.float32(0.2), 16)
    low = exact(g.model(g.node("Gemm", g.quant("x", 0.25, 4), g.weight(6, 3, scale=0.2), bias)))
    assert low.net.output.kind == "dense" and low.net.output.bias.any() and low.left_out == ()


def test_a_sum_behind_a_product_is_its_bias() -> None:
    g = Graph(6)
    y = g.node("MatMul", g.quant("x", 0.25, 4), g.weight(6, 3))
    low = exact(g.model(g.node("Add", y, g.quant(g.const(g.rng.normal(size=3)), 0.0625, 6))))
    assert [op.kind for op in low.net.ops] == ["input", "dense"]


def test_matmul_on_the_last_of_several_axes() -> None:
    g = Graph(5, 6)
    exact(g.model(g.quant(g.node("MatMul", g.quant("x", 0.25, 4), g.weight(6, 4)), 0.5, 4)))


CONVS = {
    "plain": ((3, 8, 7), (4, 3, 3, 3), {}),
    "strides_and_pads": ((3, 8, 7), (4, 3, 3, 2), {"strides": [2, 3], "pads": [1, 0, 2, 1]}),
    "dilated": ((2, 9, 9), (3, 2, 3, 3), {"dilations": [2, 2], "pads": [2, 2, 2, 2]}),
    "groups": ((4, 6, 6), (6, 2, 3, 3), {"group": 2}),
    "depthwise": ((4, 6, 6), (8, 1, 3, 3), {"group": 4, "pads": [1, 1, 1, 1]}),
    "same_upper": ((3, 7, 8), (4, 3, 2, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    "same_lower": ((3, 7, 8), (4, 3, 2, 3), {"auto_pad": "SAME_LOWER", "strides": [2, 2]}),
    "one_axis": ((3, 12), (4, 3, 3), {"strides": [2], "pads": [1, 0]}),
    "one_axis_dilated": ((4, 12), (4, 1, 3), {"dilations": [3], "group": 4}),
}


@pytest.mark.parametrize("case", CONVS)
@pytest.mark.parametrize("scale", [0.25, 0.13])
def test_conv(case: str, scale: float) -> None:
    shape, kernel, options = CONVS[case]
    g = Graph(*shape)
    options = {"kernel_shape": list(kernel[2:]), **options}
    bias = g.const(g.rng.normal(size=kernel[0]))
    y = g.node("Conv", g.quant("x", 0.5, 4), g.weight(*kernel, scale=scale), bias, **options)
    low = exact(g.model(g.quant(g.node("Relu", y), 0.7, 4, signed=0)))
    assert low.net.input.shape == (*shape[1:], shape[0])


ELEMENTWISE: dict[str, Callable[[Graph, str], str]] = {
    "batchnorm": lambda g, x: g.batchnorm(x, 4),
    "relu": lambda g, x: g.node("Relu", x),
    "leaky_relu": lambda g, x: g.node("LeakyRelu", x, alpha=0.1),
    "prelu": lambda g, x: g.node("PRelu", x, g.const(g.rng.uniform(0, 0.5, (4, 1, 1)))),
    "prelu_falling": lambda g, x: g.node("PRelu", x, g.const(g.rng.uniform(-0.5, 0.5, (4, 1, 1)))),
    "hard_tanh": lambda g, x: g.node("Clip", x, g.const(-1.0), g.const(1.0)),
    "clip_above": lambda g, x: g.node("Clip", x, "", g.const(1.3)),
    "sigmoid": lambda g, x: g.node("Sigmoid", x),
    "tanh": lambda g, x: g.node("Tanh", x),
    "hard_sigmoid": lambda g, x: g.node("HardSigmoid", x, alpha=0.2, beta=0.5),
    "elu": lambda g, x: g.node("Elu", x),
    "softplus": lambda g, x: g.node("Softplus", x),
    "neg": lambda g, x: g.node("Neg", x),
    "abs": lambda g, x: g.node("Abs", x),
    "square": lambda g, x: g.node("Pow", x, g.const(2.0)),
    "max": lambda g, x: g.node("Max", x, g.const(0.4)),
    "mul": lambda g, x: g.node("Mul", g.const(0.37), x),
    "mul_negative": lambda g, x: g.node("Mul", x, g.const(-0.37)),
    "mul_per_channel": lambda g, x: g.node("Mul", x, g.const(g.rng.normal(size=(1, 4, 1, 1)))),
    "div": lambda g, x: g.node("Div", x, g.const(3.0)),
    "sub": lambda g, x: g.node("Sub", x, g.const(0.21)),
    "from_constant": lambda g, x: g.node("Sub", g.const(0.21), x),
    "add_per_channel": lambda g, x: g.node("Add", x, g.const(g.rng.normal(size=(4, 1, 1)))),
    "chain": lambda g, x: g.node("Relu", g.node("Add", g.node("Mul", g.batchnorm(x, 4), g.const(0.7)), g.const(0.1))),
}


@pytest.mark.parametrize("case", ELEMENTWISE)
def test_functions_before_a_quantizer(case: str) -> None:
    g = Graph(3, 5, 5)
    y = g.node("Conv", g.quant("x", 0.25, 4), g.weight(4, 3, 2, 2), kernel_shape=[2, 2])
    exact(g.model(g.quant(ELEMENTWISE[case](g, y), 0.4, 4)))


POOLS = {
    "max": ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
    "max_padded": ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    "max_ceil": ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}),
    "max_ceil_wide": ("MaxPool", {"kernel_shape": [3, 3], "strides": [3, 2], "ceil_mode": 1, "pads": [1, 1, 1, 1]}),
    "average": ("AveragePool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
    "average_padded": ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    "global_average": ("GlobalAveragePool", {}),
    "global_max": ("GlobalMaxPool", {}),
}


@pytest.mark.parametrize("case", POOLS)
@pytest.mark.parametrize("before", ["integers", "functions"])
def test_pools(case: str, before: str) -> None:
    op, options = POOLS[case]
    g = Graph(3, 7, 7)
    x = g.quant("x", 0.25, 4)
    if before == "functions" and "average" not in case:
        x = g.batchnorm(g.node("Conv", x, g.weight(3, 3, 1, 1), kernel_shape=[1, 1]), 3)
    exact(g.model(g.quant(g.node(op, x, **options), 0.3, 4)))


def test_pools_of_one_axis() -> None:
    g = Graph(3, 9)
    x = g.node("MaxPool", g.quant("x", 0.25, 4), kernel_shape=[2], strides=[2])
    exact(g.model(g.quant(g.node("AveragePool", x, kernel_shape=[2]), 0.3, 4)))


def test_mean_over_places() -> None:
    g = Graph(3, 4, 4)
    exact(g.model(g.quant(g.node("ReduceMean", g.quant("x", 0.25, 4), axes=[2, 3], keepdims=0), 0.1, 4)))
