"""What of a Keras model cannot be lowered: found layer by layer, all of it, before any work is done."""

from __future__ import annotations

from typing import Any

import numpy as np

from bitsmith.models.ir import UnsupportedError
from bitsmith.models.lower.functions import Refusal
from bitsmith.models.lower.keras.activations import interpret, refuse_unfit
from bitsmith.models.lower.keras.graph import is_identity, layers_of, unwrap
from bitsmith.models.lower.keras.layers import HANDLERS

FRAMEWORKS = ("keras", "tf_keras", "qkeras", "tensorflow_model_optimization", "bitsmith")
FLOAT_LAYERS = {
    "Dense": "QDense",
    "Conv1D": "QConv1D",
    "Conv2D": "QConv2D",
    "DepthwiseConv2D": "QDepthwiseConv2D",
    "SeparableConv1D": "QSeparableConv1D",
    "SeparableConv2D": "QSeparableConv2D",
}
REMEDIES = {
    "QConv2DTranspose": "use UpSampling2D and a QConv2D",
    "Conv2DTranspose": "use UpSampling2D and a QConv2D",
    "Lambda": "use the Keras layer that does the same",
    "TFOpLambda": "use the Keras layer that does the same (Add, Concatenate, Reshape, ...)",
    "SlicingOpLambda": "split the data before the network",
    "Multiply": "gating by products of two activations has no op in a QNet; restructure the network",
}
AFTER_TRAINING = "give the bits for quantization after training (--bits)"
QUANTIZERS = ("QActivation", "QAdaptiveActivation")
KERNELS = ("kernel_quantizer_internal", "depthwise_quantizer_internal", "pointwise_quantizer_internal")


def refuse_unsupported(model: Any) -> None:
    """UnsupportedError that lists every layer of ``model`` that cannot be lowered: name, class, why, remedy."""
    problems = []
    for layer in layers_of(model):
        try:
            check_layer(layer)
        except Refusal as refusal:
            problems.append((layer, refusal))
    raise_all(model, problems)


def raise_all(model: Any, problems: list[tuple[Any, Refusal]]) -> None:
    """UnsupportedError with one line per problem, if there are any."""
    if problems:
        lines = "".join(f"\n  {layer.name} ({type(layer).__name__}): {refusal}" for layer, refusal in problems)
        raise UnsupportedError(
            f"model {model.name} cannot be lowered, {len(problems)} layer(s) stand in the way:{lines}"
        )


def check_layer(layer: Any) -> None:
    """Refusal if ``layer`` by itself cannot be lowered."""
    layer = unwrap(layer)
    kind, module = type(layer).__name__, type(layer).__module__.split(".")[0]
    if kind in FLOAT_LAYERS:
        raise Refusal(
            "has float weights",
            f"train it as {FLOAT_LAYERS[kind]} with a kernel_quantizer, or {AFTER_TRAINING}",
        )
    if is_identity(layer):
        return
    if kind not in HANDLERS or module not in FRAMEWORKS:
        raise Refusal(
            "has no meaning in a QNet",
            REMEDIES.get(kind, "replace it by supported layers, or leave it outside of the net"),
        )
    if getattr(layer, "data_format", "channels_last") == "channels_first":
        raise Refusal("has channels first", "build the model with data_format='channels_last'")
    _check_weights(layer)
    _check_parameters(kind, layer)
    interpret(layer.quantizer if kind in QUANTIZERS else getattr(layer, "activation", None))


def _check_weights(layer: Any) -> None:
    for attribute in KERNELS:
        if not hasattr(layer, attribute):
            continue
        quantizer = getattr(layer, attribute)
        if quantizer is None:
            raise Refusal(
                f"has float weights (no {attribute.removesuffix('_internal')})",
                f"give it a quantizer, or {AFTER_TRAINING}",
            )
        refuse_unfit(quantizer, data=False)
    if getattr(layer, "bias_quantizer_internal", None) is not None:
        refuse_unfit(layer.bias_quantizer_internal, data=False)


def _check_parameters(kind: str, layer: Any) -> None:
    axis = np.atleast_1d(getattr(layer, "axis", -1)).tolist()
    rank = len(layer._inbound_nodes[0].output_shapes)  # output_shape fails where a layer is used twice
    if (kind.endswith("BatchNormalization") or kind == "Concatenate") and axis not in ([-1], [rank - 1]):
        raise Refusal(f"works along axis {axis}, not along the channels (the last axis)", "move the axis to the end")
    if kind == "UpSampling2D" and layer.interpolation != "nearest":
        raise Refusal(f"interpolates ({layer.interpolation})", "use interpolation='nearest'")
