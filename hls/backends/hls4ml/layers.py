"""A layer of an hls4ml project as plain data, its names and its types.

Every type is ``fixed<W,W>``: integers, no fractional bits, hls4ml's default
truncation and wrap, which never happen since widths come from the net.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bitsmith.models.ir.ops import Input, Pads, QNet, Shape
from bitsmith.models.ir.types import IntArray, QuantType


@dataclass(frozen=True, eq=False)
class HlsLayer:
    """One layer: what hls4ml's ``ModelGraph.from_layer_list`` takes, and its exact types."""

    name: str  # in hls4ml, lower case
    op: str  # the op of the net whose value it gives; empty for a helper
    kind: str  # class of the layer in hls4ml
    inputs: tuple[str, ...]
    shape: Shape
    type: QuantType
    attrs: dict[str, Any] = field(default_factory=dict)
    types: dict[str, QuantType] = field(default_factory=dict)  # of weight, bias, accum, ...

    def as_dict(self) -> dict[str, Any]:
        """The layer's dict for ``from_layer_list``."""
        return {"name": self.name, "class_name": self.kind, "inputs": list(self.inputs), **self.attrs}

    def precision(self) -> dict[str, str]:
        """Every variable's type in hls4ml's words."""
        return {"result": fixed(self.type), **{k: fixed(t) for k, t in self.types.items()}}


def fixed(kind: QuantType) -> str:
    """An integer type in hls4ml's words."""
    return f"{'' if kind.signed else 'u'}fixed<{kind.bits},{kind.bits}>"


def range_of(values: IntArray) -> QuantType:
    """The narrowest type of an array of parameters."""
    return QuantType.for_range(values.min(initial=0), values.max(initial=0))


def layer_names(net: QNet) -> dict[str, str]:
    """A name in hls4ml for every op: lower case and unique.

    hls4ml keeps a layer's output beside its attributes, under the layer's name, and names types and ports after it;
    the prefix keeps clear of its attributes (``bias``, ``table``) and of the words of C++.
    """
    names: dict[str, str] = {}
    for op in net.ops:
        base = f"{'x' if isinstance(op, Input) else 'op'}_{op.name.lower()}"
        name, n = base, 1
        while name in names.values():
            n += 1
            name = f"{base}_{n}"
        names[op.name] = name
    return names


def project_name(net: QNet) -> str:
    """Name of the top function and of its files: no keyword, no name of the C++ library."""
    name = re.sub(r"\W+", "_", net.name, flags=re.ASCII).strip("_").lower() or "qnet"
    return f"{'n_' if name[0].isdigit() else ''}{name}_ip"


def as_float(values: IntArray) -> np.ndarray[Any, np.dtype[np.float64]]:
    """hls4ml prints parameters from floats; integers up to 2**53 survive."""
    return values.astype(np.float64)


def sizes(what: str, values: Shape) -> dict[str, int]:
    """``{what}_height`` and ``{what}_width``, or the width alone."""
    axes = ("height", "width")[-len(values) :]
    return {f"{what}_{axis}": int(v) for axis, v in zip(axes, values, strict=True)}


def pads_of(pads: Pads) -> dict[str, int]:
    """hls4ml's words for padding."""
    names = (("pad_top", "pad_bottom"), ("pad_left", "pad_right"))[-len(pads) :]
    return {name: size for pair, ends in zip(names, pads, strict=True) for name, size in zip(pair, ends, strict=True)}


def no_pads(axes: int) -> dict[str, int]:
    """Padding of nothing."""
    return pads_of(((0, 0),) * axes)
