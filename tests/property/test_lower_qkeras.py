"""Random small QKeras networks: quantizers x layers x options; the net's integers are QKeras's, always."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qkeras_nets import keras, qk, sequential

from bitsmith.models.ir import execute, verify
from bitsmith.models.ir.passes import fuse_requants, narrow
from bitsmith.models.lower.qkeras import compare_on, inputs_on_grid, lower

alphas = st.sampled_from(["1", "'auto_po2'", "0.5"])
QUICK = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


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


@st.composite
def stages(draw: st.DrawFn, spatial: bool) -> list[Any]:
    """A layer with weights, what may stand between it and its quantizer, and the quantizer."""
    layers = keras().layers
    options = {"bias_quantizer": f"quantized_bits({draw(st.integers(2, 8))},{draw(st.integers(0, 2))},alpha=1)"}
    options["use_bias"] = draw(st.booleans())
    weights = draw(weight_quantizers())
    if not spatial:
        stage = [qk().QDense(draw(st.integers(1, 6)), kernel_quantizer=weights, **options)]
    else:
        padding, strides = draw(st.sampled_from(["same", "valid"])), draw(st.integers(1, 2))
        shape = {"kernel_size": draw(st.integers(1, 3)), "padding": padding, "strides": strides}
        stage = [
            draw(st.sampled_from([_conv, _depthwise, _conv_batchnorm]))(
                draw(st.integers(1, 4)), weights, shape, options
            )
        ]
        if draw(st.booleans()):
            stage.append(draw(st.sampled_from([layers.MaxPooling2D, layers.AveragePooling2D]))(2, 1))
    if draw(st.booleans()):
        stage.append(layers.BatchNormalization())
    if draw(st.booleans()):
        stage.append(layers.ReLU() if draw(st.booleans()) else layers.LeakyReLU(0.25))
    if spatial and draw(st.booleans()):
        stage.append(layers.MaxPooling2D(2, 1))
    return [*stage, qk().QActivation(draw(activations()))]


def _conv(n: int, weights: str, shape: dict[str, Any], options: dict[str, Any]) -> Any:
    return qk().QConv2D(n, kernel_quantizer=weights, **shape, **options)


def _conv_batchnorm(n: int, weights: str, shape: dict[str, Any], options: dict[str, Any]) -> Any:
    return qk().QConv2DBatchnorm(n, kernel_quantizer=weights, **shape, **options)


def _depthwise(n: int, weights: str, shape: dict[str, Any], options: dict[str, Any]) -> Any:
    return qk().QDepthwiseConv2D(depth_multiplier=1 + n % 2, depthwise_quantizer=weights, **shape, **options)


def assert_same(model: Any, seed: int) -> None:
    net = lower(model, name="net")
    x = inputs_on_grid(net, 100, seed)
    result = compare_on(model, net, x)
    assert result.exact, f"{len(result.mismatching)} rows differ, by up to {result.max_abs_error}"
    fused = narrow(verify(fuse_requants(net)))
    assert (execute(fused, x) == execute(net, x)).all()


@QUICK
@given(st.data(), st.integers(0, 2**16))
def test_random_perceptrons(data: st.DataObject, seed: int) -> None:
    depth = data.draw(st.integers(1, 3))
    body = [layer for _ in range(depth) for layer in data.draw(stages(spatial=False))]
    start = [qk().QActivation(data.draw(activations()))] if data.draw(st.booleans()) else []
    assert_same(sequential((data.draw(st.integers(1, 8)),), *start, *body, seed=seed), seed)


@QUICK
@given(st.data(), st.integers(0, 2**16))
def test_random_image_networks(data: st.DataObject, seed: int) -> None:
    body = data.draw(stages(spatial=True))
    tail = [keras().layers.Flatten(), *data.draw(stages(spatial=False))]
    assert_same(sequential((8, 7, data.draw(st.integers(1, 3))), *body, *tail, seed=seed), seed)
