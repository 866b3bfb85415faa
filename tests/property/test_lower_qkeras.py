"""Random small QKeras networks: quantizers x layers x options; the net's integers are QKeras's, always."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from qkeras_nets import keras, qk, sequential

from bitsmith.models.ir import execute, random_inputs, verify
from bitsmith.models.ir.passes import fuse_requants, narrow
from bitsmith.models.lower.qkeras import compare_on, lower

alphas = st.sampled_from(["1", "'auto_po2'", "0.5"])
seeds = st.integers(0, 2**16)
QUICK = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),  # shrinking networks takes minutes
)


@st.composite
def weight_quantizers(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["bits", "bits", "bits", "ternary", "binary", "po2"]))
    if kind == "bits":
        symmetric = draw(st.integers(0, 1))
        return f"quantized_bits({draw(st.integers(2, 6))},{draw(st.integers(0, 2))},{symmetric},alpha={draw(alphas)})"
    if kind == "po2":
        return f"quantized_po2({draw(st.integers(3, 4))},{draw(st.sampled_from([1, 2]))})"
    return f"{kind}(alpha={draw(alphas)})"


@st.composite
def activations(draw: st.DrawFn) -> str:
    bits, integer = draw(st.integers(2, 7)), draw(st.integers(0, 3))
    return draw(
        st.sampled_from(
            [
                f"quantized_bits({bits},{integer},{bits % 2},alpha=1)",
                f"quantized_bits({bits},{integer},alpha=2.0)",
                f"quantized_relu({bits},{integer})",
                f"quantized_relu({bits},{integer},negative_slope=0.25)",
                f"quantized_tanh({bits})",
                f"quantized_sigmoid({bits})",
                "ternary(alpha=1)",
                "binary(alpha=1)",
                "quantized_relu_po2(3,2)",
            ]
        )
    )


Make = Callable[[], Any]
"""Layers are made outside of the strategies: Keras draws seeds when it makes one."""


@st.composite
def stages(draw: st.DrawFn, spatial: bool) -> list[Make]:
    """A layer with weights, what may stand between it and its quantizer, and the quantizer."""
    options = {"bias_quantizer": f"quantized_bits({draw(st.integers(2, 8))},{draw(st.integers(0, 2))},alpha=1)"}
    options["use_bias"] = draw(st.booleans())
    weights, units = draw(weight_quantizers()), draw(st.integers(1, 6))
    if not spatial:
        stage = [lambda: qk().QDense(units, kernel_quantizer=weights, **options)]
    else:
        padding, strides = draw(st.sampled_from(["same", "valid"])), draw(st.integers(1, 2))
        options |= {"kernel_size": draw(st.integers(1, 3)), "padding": padding, "strides": strides}
        kind = draw(st.sampled_from(["QConv2D", "QConv2DBatchnorm", "QDepthwiseConv2D"]))
        stage = [lambda: _convolution(kind, units, weights, options)]
        if draw(st.booleans()):
            stage.append(draw(st.sampled_from([_layer("MaxPooling2D", 2, 1), _layer("AveragePooling2D", 2, 1)])))
    if draw(st.booleans()):
        stage.append(_layer("BatchNormalization"))
    if draw(st.booleans()):
        stage.append(draw(st.sampled_from([_layer("ReLU"), _layer("LeakyReLU", 0.25)])))
    if spatial and draw(st.booleans()):
        stage.append(_layer("MaxPooling2D", 2, 1))
    return [*stage, draw(activations().map(_activation))]


def _activation(text: str) -> Make:
    return lambda: qk().QActivation(text)


def _layer(kind: str, *args: Any) -> Make:
    return lambda: getattr(keras().layers, kind)(*args)


def _convolution(kind: str, units: int, weights: str, options: dict[str, Any]) -> Any:
    if kind == "QDepthwiseConv2D":
        return qk().QDepthwiseConv2D(depth_multiplier=1 + units % 2, depthwise_quantizer=weights, **options)
    return getattr(qk(), kind)(units, kernel_quantizer=weights, **options)


def assert_same(shape: tuple[int, ...], makes: list[Make], seed: int) -> None:
    model = sequential(shape, *(make() for make in makes), seed=seed)
    net = lower(model, name="net")
    x = random_inputs(net, 100, seed)
    result = compare_on(model, net, x)
    assert result.exact, f"{len(result.mismatching)} rows differ, by up to {result.max_abs_error}"
    fused = narrow(verify(fuse_requants(net)))
    assert (execute(fused, x) == execute(net, x)).all()


@QUICK
@given(st.lists(stages(spatial=False), min_size=1, max_size=3), st.none() | activations(), seeds, st.integers(1, 8))
def test_random_perceptrons(body: list[list[Make]], start: str | None, seed: int, n_in: int) -> None:
    first = [] if start is None else [_activation(start)]
    assert_same((n_in,), [*first, *(make for stage in body for make in stage)], seed)


@QUICK
@given(stages(spatial=True), stages(spatial=False), seeds, st.integers(1, 3))
def test_random_image_networks(body: list[Make], tail: list[Make], seed: int, channels: int) -> None:
    assert_same((8, 7, channels), [*body, _layer("Flatten"), *tail], seed)
