"""The units that FINN builds hardware from: one per node of its graph, every tensor channels last.

FINN's images have a batch, two spatial axes and channels: a sequence becomes an
image of width one.
"""

from __future__ import annotations

from dataclasses import dataclass

from bitsmith.models.ir.ops import Pads, Shape
from bitsmith.models.ir.types import IntArray, QuantType

Pair = tuple[int, int]
Sides = tuple[int, int, int, int]  # top, left, bottom, right


@dataclass(frozen=True, eq=False, kw_only=True)
class Unit:
    """One node of the graph.  ``exact`` says that the tensor holds the integers of ``op`` itself."""

    name: str  # of the output tensor
    op: str
    inputs: tuple[str, ...]
    shape: Shape  # of the output, batch of one included
    lo: int
    hi: int
    exact: bool = True

    @property
    def bits(self) -> int:
        """Width of one output element, as FINN counts it (no signed type of one bit)."""
        kind = QuantType.for_range(self.lo, self.hi)
        return max(kind.bits, 2) if kind.signed else kind.bits


@dataclass(frozen=True, eq=False, kw_only=True)
class Source(Unit):
    """The graph's input."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Window(Unit):
    """Im2Col: every window of the padded image as one long vector."""

    kernel: Pair
    strides: Pair
    pads: Sides
    dilations: Pair
    depthwise: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Product(Unit):
    """x @ weight; ``kernel`` is given where the weight is a depthwise convolution's."""

    weight: IntArray  # (n_in, n_out)
    kernel: Pair | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Steps(Unit):
    """MultiThreshold: base + the number of thresholds reached."""

    thresholds: IntArray  # (1 or channels, levels)
    base: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Affine(Unit):
    """Add or Mul with a constant per channel."""

    function: str  # "Add" | "Mul"
    constant: IntArray  # (channels,)


@dataclass(frozen=True, eq=False, kw_only=True)
class Sum(Unit):
    """Two tensors added."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Join(Unit):
    """Tensors joined on the channels."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pooling(Unit):
    """The largest or the sum of every window, per channel."""

    mode: str  # "max" | "sum"
    kernel: Pair
    strides: Pair
    pads: Sides


@dataclass(frozen=True, eq=False, kw_only=True)
class Reform(Unit):
    """The same values in another shape."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Enlarge(Unit):
    """Every place repeated."""

    factors: Pair


@dataclass(frozen=True, eq=False, kw_only=True)
class Winner(Unit):
    """Index of the largest channel."""


def carried(shape: Shape) -> Shape:
    """A QNet's shape as FINN carries it: with the batch, and a width of one for sequences."""
    return (1, shape[0], 1, shape[1]) if len(shape) == 2 else (1, *shape)


def pair(values: Shape, other: int = 1) -> Pair:
    """One value per spatial axis; ``other`` stands for the axis that a sequence does not have."""
    return (values[0], other) if len(values) == 1 else (values[0], values[1])


def sides(pads: Pads) -> Sides:
    """QNet's padding in ONNX's order."""
    (top, bottom), (left, right) = pads if len(pads) == 2 else (pads[0], (0, 0))
    return (top, left, bottom, right)
