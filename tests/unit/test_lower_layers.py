"""Every layer kind, alone between quantizers, against QKeras itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from qkeras_nets import assert_exact, keras, qk, randomize, sequential

from bitsmith.models.ir import ArgMax, Conv, QuantType, Requant, Thresholds

IMAGE = (6, 5, 3)
SERIES = (12, 3)


def act(bits: int = 5, integer: int = 1) -> Any:
    return qk().QActivation(f"quantized_bits({bits},{integer},alpha=1)")


def q(bits: int = 4, integer: int = 0, alpha: object = 1) -> Any:
    return qk().quantized_bits(bits, integer, alpha=alpha)


def both(name: str = "kernel") -> dict[str, Any]:
    return {f"{name}_quantizer": q(), "bias_quantizer": q(5)}


LAYERS_2D: dict[str, Callable[[], Any]] = {
    "conv": lambda: qk().QConv2D(4, (3, 2), **both()),
    "conv same strided": lambda: qk().QConv2D(4, 3, strides=2, padding="same", **both()),
    "conv dilated": lambda: qk().QConv2D(2, 2, dilation_rate=2, padding="same", **both()),
    "conv in groups": lambda: qk().QConv2D(6, 3, groups=3, **both()),
    "conv batchnorm": lambda: qk().QConv2DBatchnorm(4, 3, **both()),
    "conv batchnorm on batch statistics": lambda: qk().QConv2DBatchnorm(
        4, 3, folding_mode="batch_stats_folding", scale=False, use_bias=False, **both()
    ),
    "depthwise": lambda: qk().QDepthwiseConv2D(3, depth_multiplier=2, padding="same", **both("depthwise")),
    "depthwise strided": lambda: qk().QDepthwiseConv2D(2, strides=2, **both("depthwise")),
    "depthwise batchnorm": lambda: qk().QDepthwiseConv2DBatchnorm(2, depth_multiplier=2, **both("depthwise")),
    "separable": lambda: qk().QSeparableConv2D(
        4, 3, padding="same", depth_multiplier=2, pointwise_quantizer=q(3), **both("depthwise")
    ),
    "max pool": lambda: keras().layers.MaxPooling2D((2, 3), strides=(1, 2), padding="same"),
    "average pool": lambda: keras().layers.AveragePooling2D((2, 3)),
    "quantized average pool": lambda: qk().QAveragePooling2D((3, 3), average_quantizer="quantized_bits(6,0,alpha=1)"),
    "global average": lambda: keras().layers.GlobalAveragePooling2D(keepdims=True),
    "quantized global average": lambda: qk().QGlobalAveragePooling2D(
        average_quantizer="quantized_bits(8,0,alpha=1)", activation="quantized_relu(6,1)"
    ),
    "global maximum": lambda: keras().layers.GlobalMaxPooling2D(),
    "zero padding": lambda: keras().layers.ZeroPadding2D(((1, 2), (0, 3))),
    "upsampling": lambda: keras().layers.UpSampling2D((2, 3)),
    "batch normalization": lambda: keras().layers.BatchNormalization(),
    "quantized batch normalization": lambda: qk().QBatchNormalization(),
    "flatten": lambda: keras().layers.Flatten(),
    "reshape": lambda: keras().layers.Reshape((10, 9)),
    "dropout": lambda: keras().layers.Dropout(0.5),
    "relu": lambda: keras().layers.ReLU(),
    "relu6": lambda: keras().layers.ReLU(max_value=0.75),
    "leaky relu": lambda: keras().layers.LeakyReLU(0.3),
    "tanh": lambda: keras().layers.Activation("tanh"),
    "swish": lambda: keras().layers.Activation("swish"),
}


@pytest.mark.parametrize("kind", LAYERS_2D)
def test_layers_on_images(kind: str) -> None:
    assert_exact(sequential(IMAGE, act(), LAYERS_2D[kind](), act(6, 2)))


LAYERS_1D: dict[str, Callable[[], Any]] = {
    "conv": lambda: qk().QConv1D(4, 3, strides=2, **both()),
    "conv causal": lambda: qk().QConv1D(4, 3, dilation_rate=2, padding="causal", **both()),
    "separable": lambda: qk().QSeparableConv1D(4, 3, pointwise_quantizer=q(3), **both("depthwise")),
    "dense on places": lambda: qk().QDense(4, **both()),
    "max pool": lambda: keras().layers.MaxPooling1D(3, strides=2, padding="same"),
    "average pool": lambda: keras().layers.AveragePooling1D(5),
    "global average": lambda: keras().layers.GlobalAveragePooling1D(),
    "global maximum": lambda: keras().layers.GlobalMaxPooling1D(),
    "zero padding": lambda: keras().layers.ZeroPadding1D((1, 2)),
    "upsampling": lambda: keras().layers.UpSampling1D(2),
}


@pytest.mark.parametrize("kind", LAYERS_1D)
def test_layers_on_series(kind: str) -> None:
    assert_exact(sequential(SERIES, act(), LAYERS_1D[kind](), act(6, 2)))


def test_what_waits_for_a_quantizer_passes_through_structure() -> None:
    layers = keras().layers
    model = sequential(
        IMAGE, act(), qk().QConv2D(4, 2, **both()), layers.BatchNormalization(), layers.ReLU(),
        layers.MaxPooling2D(2), layers.UpSampling2D(2), layers.Flatten(), act(6, 2), qk().QDense(3, **both()),
    )  # fmt: skip
    net = assert_exact(model)
    assert sum(isinstance(op, Requant | Thresholds) for op in net.ops) == 2, "signs before the pool, one quantizer"


def test_quantizers_of_power_of_two_steps_become_a_shift() -> None:
    net = assert_exact(sequential((8,), act(), qk().QDense(6, **both()), qk().QActivation("quantized_relu(4,1)")))
    last = net.output
    assert isinstance(last, Requant) and last.shift > 0 and (last.mult == 1).all() and (last.lo, last.hi) == (0, 15)


def test_a_bias_finer_than_the_accumulator_is_added_exactly() -> None:
    fine = {"kernel_quantizer": q(2), "bias_quantizer": q(14)}
    net = assert_exact(sequential((8,), act(3), qk().QDense(4, **fine)))
    assert net.output.type.scale == 2.0**-13
    assert_exact(sequential((8,), act(3), qk().QDense(4, **fine), act(6)))


def test_a_float_bias_joins_the_quantizer() -> None:
    net = assert_exact(sequential((8,), act(), qk().QDense(4, kernel_quantizer=q()), act(6)))
    assert len(net.ops) == 3
    assert_exact(sequential((8,), act(), qk().QDense(4, kernel_quantizer=q())))  # wide, rounded once by float32


def test_fused_and_plain_activations_that_only_clip_need_no_quantizer() -> None:
    layers = keras().layers
    model = sequential(
        (8,), act(), qk().QDense(6, activation="relu", **both()),
        qk().QDense(5, activation="quantized_relu(5,1)", **both()),
        layers.ReLU(max_value=0.5), qk().QDense(3, activation="tanh", **both()), act(6, 0),
    )  # fmt: skip
    net = assert_exact(model)
    kinds = [op.kind for op in net.ops]
    assert kinds.count("requant") == 3 and kinds[-1] == "thresholds", "two clips, one quantizer; tanh has no line"


def test_residual_branches_of_other_scales() -> None:
    x = start = keras().Input((4, 4, 2))
    x = act(6, 1)(x)
    y = qk().QConv2D(2, 3, padding="same", **both())(x)
    y = keras().layers.Add()([act(5, 2)(y), x])
    z = keras().layers.Subtract()([act(8, 2)(y), keras().layers.ReLU()(x)])
    z = keras().layers.Concatenate()([z, y, keras().layers.ReLU()(y)])
    z = qk().QDense(3, kernel_quantizer=q(3), bias_quantizer=q(6))(keras().layers.Flatten()(z))
    assert_exact(randomize(keras().Model(start, z)))


def test_branches_joined_before_their_quantizer() -> None:
    x = start = keras().Input((4, 4, 2))
    x = act()(x)
    a = keras().layers.BatchNormalization()(qk().QConv2D(2, 3, **both())(x))
    b = keras().layers.Activation("tanh")(qk().QConv2D(3, 3, **both())(x))
    y = act(6, 1)(keras().layers.Concatenate()([a, b]))
    assert_exact(randomize(keras().Model(start, y)))


def test_per_channel_scales_of_weights() -> None:
    for alpha in ("auto_po2", "auto"):
        auto = {"kernel_quantizer": q(4, 0, alpha), "bias_quantizer": q(5)}
        model = sequential((8,), act(), qk().QDense(6, **auto), act(6, 2), qk().QDense(3, **auto), act(6, 2))
        assert_exact(model)
    logits = sequential((8,), act(), qk().QDense(6, kernel_quantizer=q(4, 0, "auto_po2"), bias_quantizer=q(5)))
    assert not assert_exact(logits).output.type.is_per_channel, "logits can be compared as integers"
    auto = {"depthwise_quantizer": q(4, 0, "auto_po2"), "bias_quantizer": q(5)}
    model = sequential(IMAGE, act(), qk().QDepthwiseConv2D(2, depth_multiplier=3, **auto))
    assert_exact(model)


def test_nested_and_shared_models() -> None:
    block = randomize(keras().Sequential([keras().layers.InputLayer((4,)), qk().QDense(4, **both()), act(5, 2)]))
    x = keras().Input((4,))
    y = block(block(act()(x)))
    net = assert_exact(keras().Model(x, y))
    assert sum(op.kind == "dense" for op in net.ops) == 2


def test_a_quantizer_shared_by_the_input_and_a_later_layer() -> None:
    shared = act(4, 0)
    net = assert_exact(sequential((6,), shared, qk().QDense(4, **both()), keras().layers.ReLU(), shared_again(shared)))
    assert isinstance(net.output, Requant)


def shared_again(layer: Any) -> Any:
    return keras().Sequential([keras().layers.InputLayer((4,)), layer])


def test_heads() -> None:
    def model(units: int, final: str) -> Any:
        return sequential((8,), act(), qk().QDense(units, activation=final, **both()))

    assert assert_exact(model(4, "softmax")).head == "softmax"
    assert assert_exact(model(1, "sigmoid")).head == "sigmoid"
    assert isinstance(assert_exact(model(4, "softmax"), head="argmax").output, ArgMax)
    assert isinstance(assert_exact(model(4, "linear"), head="argmax").output, ArgMax)
    assert isinstance(assert_exact(model(1, "sigmoid"), head="argmax").output, Thresholds)
    apart = sequential((8,), act(), qk().QDense(4, **both()), keras().layers.Activation("softmax"))
    assert assert_exact(apart).head == "softmax"


def test_the_first_quantizer_is_the_input() -> None:
    net = assert_exact(sequential((8,), act(5, 1), qk().QDense(4, **both())))
    assert net.input.type == QuantType(5, True, 2.0**-3) and (net.input.lo, net.input.hi) == (-16, 15)
    wide = QuantType(9, True, 2.0**-6)
    net = assert_exact(sequential((8,), act(5, 1), qk().QDense(4, **both())), input_type=wide)
    assert net.input.type == wide and isinstance(net.ops[1], Requant)


def test_default_inputs() -> None:
    image = assert_exact(sequential(IMAGE, qk().QConv2D(2, 2, **both())))
    assert image.input.type == QuantType(8, False, 2.0**-8)
    plain = assert_exact(sequential((5,), qk().QDense(2, **both())))
    assert plain.input.type == QuantType(8, True, 2.0**-7)


def test_pixels_over_255() -> None:
    model = sequential(IMAGE, qk().QConv2D(3, 2, **both()), qk().QActivation("quantized_relu(5,2)"), act(3, 1))
    net = assert_exact(model, input_type=QuantType(8, False, 1 / 255))
    assert isinstance(net.ops[1], Conv) and not np.log2(net.ops[1].type.scales[0]).is_integer()


def test_pruning_wrappers_are_looked_through() -> None:
    import tensorflow_model_optimization as tfmot

    model = sequential((8,), act(), qk().QDense(4, **both()), act(4, 2))
    wrapped = tfmot.sparsity.keras.prune_low_magnitude(model)
    assert_exact(wrapped)
