"""Quantized weights of a QKeras layer as integers and what one step stands for.

The layer's own quantizer runs on the float weights, so that whatever QKeras
does (statistics, automatic scales, rounding) is done by QKeras.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir import InputError
from bitsmith.models.lower.keras.io import import_tensorflow
from bitsmith.models.lower.weights import Floats, Weights, dyadic, in_steps

Layout = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]


def quantized_weights(layer: str, tensor: str, quantizer: Any, raw: Any, layout: Layout) -> Weights:
    """What ``quantizer`` makes of the float weights ``raw``, brought into ``layout`` (output channels last).

    InputError naming the layer and the tensor if the quantized weights are not
    finite, or not integers times a scale per output channel.
    """
    tf = import_tensorflow()
    real = np.asarray(quantizer(tf.constant(np.asarray(raw, np.float32))), np.float64)
    if not np.isfinite(real).all():
        raise InputError(
            f"layer {layer}: {type(quantizer).__name__} turns {tensor} into NaN or infinite values "
            f"(one bit with alpha='auto' does); use more bits or alpha=1"
        )
    step = _nominal_step(quantizer)
    if step is None:
        return dyadic(layer, tensor, layout(real))
    steps = np.broadcast_to(step, real.shape)
    return in_steps(layer, tensor, layout(real), layout(steps))


def _nominal_step(quantizer: Any) -> Floats | None:
    """What one integer step stands for, by the quantizer's own scale after its call; None if it has no uniform grid."""
    names = {cls.__name__ for cls in type(quantizer).__mro__}
    scale = getattr(quantizer, "scale", None)
    unit = np.ones(1)
    if "quantized_bits" in names:
        unsigned_bits = int(quantizer.bits) - int(quantizer.keep_negative)
        if unsigned_bits:  # else one bit: the sign
            unit = np.exp2(np.asarray(quantizer.integer, np.float64).reshape(-1) - unsigned_bits)
    elif not names & {"binary", "ternary"}:
        return None
    step: Floats = np.asarray(1.0 if scale is None else scale, np.float32).astype(np.float64) * unit
    return step
