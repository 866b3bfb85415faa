"""Quantized weights of a QKeras layer as integers and what one step stands for.

The layer's own quantizer runs on the float weights, so that whatever QKeras
does (statistics, automatic scales, rounding) is done by QKeras.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir import InputError
from bitsmith.models.ir.types import IntArray
from bitsmith.models.lower.keras_io import import_tensorflow

Floats = npt.NDArray[np.float64]
Layout = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]

WIDEST = 40
"""Weights of more bits than this are no quantized weights."""


@dataclass(frozen=True, eq=False)
class Weights:
    """``values * scale`` are the real weights; the last axis is the output channel."""

    values: IntArray
    scale: float | tuple[float, ...]


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
        return _dyadic(layer, tensor, layout(real))
    steps = np.broadcast_to(step, real.shape)
    return _in_steps(layer, tensor, layout(real), layout(steps))


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


def _in_steps(layer: str, tensor: str, real: Floats, steps: Floats) -> Weights:
    """Divide by the step of each channel; float32 leaves the product one unit in the last place off real scales."""
    per_channel = steps.reshape(-1, steps.shape[-1])
    if (per_channel != per_channel[0]).any():
        return _dyadic(layer, tensor, real)  # scales along another axis: only a common grid can hold them
    scale = per_channel[0].copy()
    used = (real.reshape(-1, real.shape[-1]) != 0).any(axis=0)
    if not used.any():
        return Weights(np.zeros(real.shape, np.int64), 1.0)
    scale[~used] = scale[used].max()  # a channel of zeros has any scale
    values = np.rint(real / scale)
    exact = is_power_of_two(scale)
    allowed = np.where(exact, 0.0, 2.0**-21 * np.maximum(np.abs(real), scale))
    if (np.abs(real - values * scale) > allowed).any():
        raise InputError(
            f"layer {layer}: {tensor} is not an integer times the quantizer's scale; is it fully quantized?"
        )
    return _normalized(values.astype(np.int64), scale)


def _dyadic(layer: str, tensor: str, real: Floats) -> Weights:
    """Integers on the coarsest power of two that all values are multiples of."""
    scale = dyadic_scale(real)
    if np.abs(real / scale).max(initial=0.0) >= 2.0**WIDEST:
        raise InputError(
            f"layer {layer}: {tensor} spans more than {WIDEST} bits after quantization; "
            f"give its quantizer fewer exponents (bits, max_value)"
        )
    return Weights((real / scale).astype(np.int64), scale)


def _normalized(values: IntArray, scale: Floats) -> Weights:
    """Common factors of two go from the integers of a tensor into the scale; equal scales become one."""
    bits = int(np.bitwise_or.reduce(np.abs(values), axis=None))
    shared = (bits & -bits) if bits else 1
    scale = scale * shared
    whole = float(scale[0]) if (scale == scale[0]).all() else tuple(float(s) for s in scale)
    return Weights(values // shared, whole)


def is_power_of_two(scale: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Elementwise, for positive values."""
    result: npt.NDArray[np.bool_] = np.frexp(np.asarray(scale, np.float64))[0] == 0.5
    return result


def dyadic_scale(real: npt.ArrayLike) -> float:
    """The largest power of two that every value is a multiple of; 1.0 if all are zero."""
    values = np.asarray(real, np.float64)
    values = values[values != 0]
    if not values.size:
        return 1.0
    mantissa, exponent = np.frexp(values)
    whole = np.abs(np.ldexp(mantissa, 53)).astype(np.int64)
    lowest = np.frexp((whole & -whole).astype(np.float64))[1] - 1  # position of the lowest set bit
    return float(2.0 ** int((exponent - 53 + lowest).min()))
