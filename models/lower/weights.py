"""Real weights as integers and what one step stands for.  Numpy only: every front end uses it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir import InputError
from bitsmith.models.ir.types import IntArray

Floats = npt.NDArray[np.float64]

WIDEST = 40
"""Weights of more bits than this are no quantized weights."""


@dataclass(frozen=True, eq=False)
class Weights:
    """``values * scale`` are the real weights; the last axis is the output channel."""

    values: IntArray
    scale: float | tuple[float, ...]


def in_steps(layer: str, tensor: str, real: Floats, steps: Floats) -> Weights:
    """Divide by the step of each channel; float32 leaves the product one unit in the last place off real scales."""
    per_channel = steps.reshape(-1, steps.shape[-1])
    if (per_channel != per_channel[0]).any():
        return dyadic(layer, tensor, real)  # scales along another axis: only a common grid can hold them
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
    return normalized(values.astype(np.int64), scale)


def dyadic(layer: str, tensor: str, real: Floats) -> Weights:
    """Integers on the coarsest power of two that all values are multiples of."""
    scale = dyadic_scale(real)
    if np.abs(real / scale).max(initial=0.0) >= 2.0**WIDEST:
        raise InputError(
            f"layer {layer}: {tensor} spans more than {WIDEST} bits after quantization; "
            f"give its quantizer fewer exponents (bits, max_value)"
        )
    return Weights((real / scale).astype(np.int64), scale)


def normalized(values: IntArray, scale: Floats) -> Weights:
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
