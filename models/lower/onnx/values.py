"""What stands behind an ONNX tensor while a graph is lowered: integers of the net, or a constant.

ONNX is channels first, the net channels last.  A tensor therefore carries, for
every element in ONNX's order, the place of that element in the net's value;
Transpose, Reshape, Flatten, Squeeze and Unsqueeze only rearrange these places.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bitsmith.models.ir.ops import Shape
from bitsmith.models.ir.types import IntArray
from bitsmith.models.lower.functions import Floats, Refusal
from bitsmith.models.lower.lowering import Lowering, Value
from bitsmith.models.lower.onnx.graph import Array

ORDER = "put a Flatten or the Transpose back before it, so that channels stay together"


@dataclass(frozen=True, eq=False)
class Constant:
    """Real numbers, and where a quantizer made them: the step (of their shape) that they are multiples of."""

    values: Array
    step: Array | None = None

    @property
    def real(self) -> Floats:
        """In float64: multiples of the step as they are meant, without the rounding of float32."""
        values = self.values.astype(np.float64)
        return values if self.step is None else np.rint(values / self.step) * self.step


@dataclass(frozen=True, eq=False)
class Tensor:
    """``value`` of the net; ``places`` has ONNX's shape without the batch and indexes the flattened value."""

    value: Value
    places: IntArray

    @property
    def shape(self) -> Shape:
        """ONNX's shape without the batch."""
        return self.places.shape

    def holding(self, value: Value) -> Tensor:
        """The same places of another value of the same shape."""
        return replace(self, value=value)


def channels_first(shape: Shape) -> IntArray:
    """Places of a channels-last value of this shape in ONNX's order."""
    return np.moveaxis(np.arange(int(np.prod(shape))).reshape(shape), -1, 0)


def plain(n: Lowering, value: Value) -> Tensor:
    """A value whose order is ONNX's order."""
    shape = n.shape(value)
    return Tensor(value, np.arange(int(np.prod(shape))).reshape(shape))


def in_order(places: IntArray) -> bool:
    """Whether the places are 0, 1, 2, ... in row-major order."""
    return bool((places.ravel() == np.arange(places.size)).all())


def as_image(n: Lowering, t: Tensor, name: str) -> Value:
    """The value as (length, channels) or (height, width, channels), for a node that takes its channels first.

    Refusal if the elements lie in another order.
    """
    wanted = np.moveaxis(t.places, 0, -1)
    if not in_order(wanted):
        raise Refusal("reads an image whose elements were reordered, which no op of the net does", ORDER)
    return n.reshape(t.value, wanted.shape, f"{name}_image")


def image(n: Lowering, value: Value) -> Tensor:
    """A channels-last value as ONNX's channels-first tensor."""
    return Tensor(value, channels_first(n.shape(value)))


def flat(n: Lowering, t: Tensor, name: str) -> Tensor:
    """The tensor with a value on one axis, so that every element is a channel of its own."""
    size = t.places.size
    if n.shape(t.value) == (size,):
        return t
    return t.holding(n.reshape(n.settle(t.value, name), (size,), f"{name}_flat"))


def per_channel(n: Lowering, t: Tensor, constant: Array) -> Array | None:
    """A constant that is broadcast over ``t`` as one number, or one per channel of the value; None if it is neither.

    Refusal if it would enlarge the tensor.
    """
    if constant.size == 1:
        return constant.reshape(())
    try:
        spread = np.broadcast_to(constant, (1, *t.shape))[0]
    except ValueError as error:
        raise Refusal(
            f"combines a value of shape {t.shape} with a constant of shape {constant.shape}, which enlarges it",
            "give the constant the value's shape, or one number per channel",
        ) from error
    channels = n.shape(t.value)[-1]
    by_place = np.empty(t.places.size, constant.dtype)
    by_place[t.places.ravel()] = spread.ravel()
    rows = by_place.reshape(-1, channels)
    return rows[0] if (rows == rows[0]).all() else None
