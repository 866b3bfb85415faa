"""Every quantizer that QKeras ships, as an activation and as a weight quantizer, against QKeras itself."""

from __future__ import annotations

import numpy as np
import pytest
from qkeras_nets import assert_exact, keras, qk, sequential

from bitsmith.models.ir import Lut, Requant, Rounding, Thresholds, UnsupportedError, execute, random_inputs, trace
from bitsmith.models.lower.qkeras import lower, reference

ACTIVATIONS = [
    "quantized_bits(4,0,alpha=1)",
    "quantized_bits(4,1)",
    "quantized_bits(5,1,symmetric=1,alpha=1)",
    "quantized_bits(5,0,keep_negative=False)",
    "quantized_bits(4,0,alpha=0.5)",
    "quantized_bits(4,0,alpha=0.3)",
    "quantized_bits(1,0,alpha=1)",
    "quantized_bits(3,3,alpha=1)",
    "quantized_bits(6,1,use_stochastic_rounding=True)",
    "quantized_relu(4)",
    "quantized_relu(6,2)",
    "quantized_relu(6,2,negative_slope=0.25)",
    "quantized_relu(2,2,negative_slope=0.25)",
    "quantized_relu(5,1,use_sigmoid=1)",
    "quantized_relu(6,3,relu_upper_bound=4.0,is_quantized_clip=False)",
    "quantized_relu(6,3,relu_upper_bound=3.3,is_quantized_clip=False)",
    "quantized_relu(6,2,is_quantized_clip=False)",
    "quantized_relu(4,1,use_stochastic_rounding=True)",
    "quantized_tanh(5)",
    "quantized_tanh(5,symmetric=True)",
    "quantized_tanh(6,use_real_tanh=True)",
    "quantized_sigmoid(5)",
    "quantized_sigmoid(5,symmetric=True,use_real_sigmoid=True)",
    "quantized_ulaw(5)",
    "quantized_ulaw(4,1,1,100.0)",
    "quantized_hswish(6,1,alpha=1)",
    "quantized_po2(4)",
    "quantized_po2(4,2)",
    "quantized_po2(4,quadratic_approximation=True)",
    "quantized_po2(4,log2_rounding='floor')",
    "quantized_relu_po2(3)",
    "quantized_relu_po2(3,1)",
    "quantized_relu_po2(3,2,negative_slope=0.25)",
    "binary",
    "binary(alpha=1)",
    "binary(use_01=True)",
    "binary(alpha=0.7)",
    "stochastic_binary(alpha=1)",
    "ternary",
    "ternary(alpha=1,threshold=0.5)",
    "stochastic_ternary(alpha=1)",
    "hard_tanh",
    "smooth_sigmoid",
]


def as_layer(text: str) -> object:
    return qk().QActivation(text if "(" in text or text in ("hard_tanh", "smooth_sigmoid") else f"{text}()")


@pytest.mark.parametrize("text", ACTIVATIONS)
def test_activations(text: str) -> None:
    """The quantizer on an accumulator, behind a BatchNormalization, and on a branch of per-channel scales."""
    last = [] if "quantized" in text or "ary" in text else [qk().QActivation("quantized_bits(6,1,alpha=1)")]
    start = qk().QActivation("quantized_bits(7,2,alpha=1)")
    weights = {"kernel_quantizer": "quantized_bits(4,0,alpha=1)", "bias_quantizer": "quantized_bits(6,1,alpha=1)"}
    assert_exact(sequential((6,), start, qk().QDense(5, **weights), as_layer(text), *last))
    if "hswish" in text:
        return  # not monotone, and channels differ: see below
    normed = [qk().QDense(5, **weights), keras().layers.BatchNormalization(), as_layer(text), *last]
    assert_exact(sequential((6,), start, *normed, seed=1))
    weights["kernel_quantizer"] = "quantized_bits(3,0,alpha='auto_po2')"
    assert_exact(sequential((6,), start, qk().QDense(5, **weights), as_layer(text), *last, seed=2))


WEIGHTS = [
    "quantized_bits(4)",
    "quantized_bits(4,0,alpha=1)",
    "quantized_bits(5,1,symmetric=True,alpha=1)",
    "quantized_bits(4,0,keep_negative=False,alpha=1)",
    "quantized_bits(4,0,alpha=0.25)",
    "quantized_bits(4,0,alpha=0.37)",
    "quantized_bits(4,0,alpha='auto')",
    "quantized_bits(4,1,alpha='auto_po2')",
    "quantized_bits(4,0,alpha='auto_po2',scale_axis=0)",
    "quantized_bits(1,0,alpha=1)",
    "quantized_bits(4,0,alpha=1,use_stochastic_rounding=True)",
    "binary",
    "binary(alpha=1)",
    "binary(alpha='auto')",
    "binary(use_01=True,alpha=1)",
    "stochastic_binary(alpha='auto_po2')",
    "ternary",
    "ternary(alpha=1)",
    "ternary(alpha='auto')",
    "stochastic_ternary(alpha='auto_po2')",
    "quantized_po2(4)",
    "quantized_po2(4,1)",
    "quantized_relu_po2(4)",
    "quantized_tanh(4)",
]


@pytest.mark.parametrize("text", WEIGHTS)
def test_weights(text: str) -> None:
    text = text if "(" in text else f"{text}()"
    start = qk().QActivation("quantized_bits(5,0,alpha=1)")
    layer = qk().QDense(5, kernel_quantizer=text, bias_quantizer="quantized_bits(4,0,alpha=1)")
    assert_exact(sequential((6,), start, layer, qk().QActivation("quantized_bits(6,2,alpha=1)")))


def test_with_real_scales_float32_noise_decides_ties_in_qkeras_and_only_those() -> None:
    """A bias of 1/2 step and weights that cancel: a tie in exact arithmetic, off it by 1e-8 in float32 sums."""
    start = qk().QActivation("quantized_bits(5,0,alpha=1)")
    layer = qk().QDense(5, kernel_quantizer="binary(alpha='auto')", bias_quantizer="quantized_bits(6,1,alpha=1)")
    model = sequential((6,), start, layer, qk().QActivation("quantized_bits(6,2,alpha=1)"))
    net = lower(model, name="n")
    x = random_inputs(net, 2000, 0)
    values = trace(net, x)
    other = execute(net, x) * net.output.type.scale != reference(model, net, net.input.type.real(x))
    bias = np.asarray(layer.bias_quantizer_internal(layer.bias))
    tie = (values[layer.name] == 0) & (bias % 0.125 != 0)
    assert 0 < other.sum() < 100 and tie[other].all()


def test_per_channel_alpha_of_an_activation() -> None:
    alpha = np.array([[0.5, 1.0, 2.0, 1.0]])
    start = qk().QActivation("quantized_bits(5,0,alpha=1)")
    dense = {"kernel_quantizer": "quantized_bits(4,0,alpha=1)", "bias_quantizer": "quantized_bits(6,1,alpha=1)"}
    act = qk().QActivation(qk().quantized_bits(4, 1, alpha=alpha))
    assert_exact(sequential((6,), start, qk().QDense(4, **dense), act, qk().QDense(3, **dense)))


def test_adaptive_activation() -> None:
    dense = {"kernel_quantizer": "quantized_bits(4,0,alpha=1)", "bias_quantizer": "quantized_bits(6,1,alpha=1)"}
    for per_channel in (False, True):
        act = qk().QAdaptiveActivation("quantized_relu", 5, per_channel=per_channel, quantization_delay=1)
        start = qk().QActivation("quantized_bits(5,0,alpha=1)")
        model = sequential((6,), start, qk().QDense(4, **dense), act, qk().QDense(3, **dense))
        act.ema_max.assign([0.9, 1.9, 3.0, 0.1] if per_channel else [1.9])
        model(np.zeros((1, 6), np.float32))  # the layer sets its integer bits from the averages at each call
        assert_exact(model)


def test_a_table_where_channels_bend_differently() -> None:
    norm = keras().layers.BatchNormalization()
    start = qk().QActivation("quantized_bits(5,2,alpha=1)")
    net = assert_exact(sequential((4,), start, norm, qk().QActivation("quantized_hswish(6,1,alpha=1)")))
    assert any(isinstance(op, Lut) for op in net.ops)


def test_half_even_is_what_separates_qkeras_from_half_up() -> None:
    start = qk().QActivation("quantized_bits(6,2,alpha=1)")
    net = assert_exact(sequential((4,), start, qk().QActivation("quantized_bits(4,2,alpha=1)")))
    op = net.output
    assert isinstance(op, Requant) and op.rounding is Rounding.HALF_EVEN
    ties = np.full((1, 4), 2)  # 2 / 4 is a tie
    assert (execute(net, ties) == 0).all() and (execute(net, 3 * ties) == 2).all()


def test_few_levels_stay_comparators_and_many_become_a_multiplication() -> None:
    dense = {"kernel_quantizer": "quantized_bits(4,0,alpha=1)", "bias_quantizer": "quantized_bits(6,1,alpha=1)"}
    start = qk().QActivation("quantized_bits(5,0,alpha=1)")
    for text, kind in (("ternary(alpha=1)", Thresholds), ("quantized_relu(6,1)", Requant)):
        norm = keras().layers.BatchNormalization()
        net = assert_exact(sequential((6,), start, qk().QDense(4, **dense), norm, qk().QActivation(text)))
        assert isinstance(net.output, kind)


def test_quantizers_that_are_no_fixed_function_are_refused() -> None:
    dense = {"kernel_quantizer": "quantized_bits(4,0,alpha=1)", "bias_quantizer": "quantized_bits(4,0,alpha=1)"}
    for text, why in (
        ("bernoulli()", "random numbers at inference"),
        ("quantized_bits(4,0,alpha='auto')", "from each batch"),
        ("quantized_bits(4,0,alpha=1,qnoise_factor=0.5)", "qnoise_factor"),
    ):
        model = sequential((3,), qk().QDense(2, **dense), qk().QActivation(text, name="odd"))
        with pytest.raises(UnsupportedError, match=f"odd .QActivation.: .*{why}"):
            lower(model, name="n")
