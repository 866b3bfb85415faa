"""The ops of a QNet.  ``docs/ir.md`` says what each must compute.

Every op names its inputs, and carries the shape (without the batch) and the
:class:`QuantType` of its one output.  Layout is channels last.  Integer
parameters are int64 arrays that cannot be written to.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from bitsmith.models.ir.structure import Structure
from bitsmith.models.ir.types import IntArray, Overflow, QuantType, Rounding

Shape = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Op:
    """Common part of all ops."""

    name: str
    inputs: tuple[str, ...]
    shape: Shape
    type: QuantType

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                frozen = np.array(value, dtype=np.int64, order="C")
                frozen.setflags(write=False)
                object.__setattr__(self, f.name, frozen)

    @property
    def kind(self) -> str:
        """Lower-case name of the op, as in the text form and on disk."""
        return type(self).__name__.lower()


@dataclass(frozen=True, eq=False, kw_only=True)
class Input(Op):
    """The network's input and its own quantizer, for real data: q = clip(round(x / scale), lo, hi)."""

    lo: int
    hi: int
    rounding: Rounding = Rounding.HALF_EVEN
    overflow: Overflow = Overflow.SATURATE


@dataclass(frozen=True, eq=False, kw_only=True)
class Dense(Op):
    """y[o] = bias[o] + sum_i x[i] * weight[i, o] on the last axis."""

    weight: IntArray  # (n_in, n_out)
    bias: IntArray  # (n_out,), in steps of the output
    weight_type: QuantType
    structure: Structure | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Conv(Op):
    """1-D or 2-D convolution (cross-correlation), zero padded, in groups."""

    weight: IntArray  # (*kernel, n_in / groups, n_out)
    bias: IntArray  # (n_out,), in steps of the output
    weight_type: QuantType
    strides: Shape
    pads: Pads  # (before, after) per spatial axis
    dilations: Shape
    groups: int = 1
    structure: Structure | None = None

    @property
    def kernel(self) -> Shape:
        """Spatial size of the kernel."""
        return self.weight.shape[:-2]


@dataclass(frozen=True, eq=False, kw_only=True)
class Pool(Op):
    """Maximum or sum over windows; an average is a sum with a smaller scale."""

    mode: str  # "max" | "sum"
    window: Shape
    strides: Shape
    pads: Pads  # padded places never win a maximum and add nothing to a sum


@dataclass(frozen=True, eq=False, kw_only=True)
class Requant(Op):
    """y = overflow(round((x * mult + add) / 2**shift)) into lo..hi."""

    mult: IntArray  # () or (channels,)
    add: IntArray  # () or (channels,)
    shift: int
    lo: int
    hi: int
    rounding: Rounding
    overflow: Overflow


@dataclass(frozen=True, eq=False, kw_only=True)
class Thresholds(Op):
    """y[c] = base[c] + step[c] * #{k : x[c] >= thresholds[c, k]}."""

    thresholds: IntArray  # (1 or channels, levels - 1), each row ascending
    base: IntArray  # (1 or channels,)
    step: IntArray  # (1 or channels,)


@dataclass(frozen=True, eq=False, kw_only=True)
class Lut(Op):
    """y = table[x - offset]: any function of few integers."""

    table: IntArray  # (entries,)
    offset: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Add(Op):
    """y = sum_k factors[k] * x_k: branches brought to one scale and added."""

    factors: tuple[int, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Concat(Op):
    """Inputs one after the other on the last axis."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Reshape(Op):
    """The same integers, in row-major order, in another shape."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pad(Op):
    """Zeros around the spatial axes."""

    pads: Pads


@dataclass(frozen=True, eq=False, kw_only=True)
class Upsample(Op):
    """Every place repeated ``factors[axis]`` times per spatial axis (nearest)."""

    factors: Shape


@dataclass(frozen=True, eq=False, kw_only=True)
class ArgMax(Op):
    """Index of the largest channel of the last axis; the first of equals."""


KINDS: dict[str, type[Op]] = {
    k.__name__.lower(): k
    for k in (Input, Dense, Conv, Pool, Requant, Thresholds, Lut, Add, Concat, Reshape, Pad, Upsample, ArgMax)
}


@dataclass(frozen=True, eq=False)
class QNet:
    """A quantized network in integers: one Input first, the output last.

    ``head`` says what the source framework applied to the output and the
    hardware leaves out, for those who want probabilities: ``none``,
    ``softmax`` or ``sigmoid``.
    """

    name: str
    ops: tuple[Op, ...]
    head: str = "none"
    by_name: dict[str, Op] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {op.name: op for op in self.ops})

    def __getitem__(self, name: str) -> Op:
        return self.by_name[name]

    @property
    def input(self) -> Input:
        """The one Input op."""
        first = self.ops[0]
        assert isinstance(first, Input)
        return first

    @property
    def output(self) -> Op:
        """The op whose value is the network's result."""
        return self.ops[-1]

    def users(self, name: str) -> tuple[Op, ...]:
        """Every op that reads ``name``."""
        return tuple(op for op in self.ops if name in op.inputs)

    def with_ops(self, ops: tuple[Op, ...]) -> QNet:
        """The same network with other ops."""
        return QNet(self.name, ops, self.head)
