"""Many designs at once: layers as columns, before any weight is trained.  For searches, which price thousands."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from bitsmith.hls.estimate.rtl.terms import Floats, clog2

MEAN_WEIGHT = 0.36
"""Mean size of a bell-shaped weight of few bits over the largest: of normal ones cut off at 2.2 sigma."""


@dataclass(frozen=True, eq=False)
class LayerTable:
    """Layers with weights of many designs, one array of shape (layers,) per attribute.

    ``design`` numbers the designs from 0 on, ascending; within one its layers
    stand in order.  A dense layer has one place and a kernel of 1.  ``pe`` and
    ``simd`` (folded RTL) must divide outputs and channels, ``reuse`` (hls4ml)
    is its reuse factor; each backend reads only its own.
    """

    design: NDArray[np.int64]
    channels: Floats  # inputs of one place
    outputs: Floats
    a_bits: Floats  # of an input
    w_bits: Floats  # of a weight; 1: signs, 2: ternary
    act_bits: Floats  # of an output; 0: the sums themselves
    density: Floats  # share of the weights that are not zero
    rows: Floats  # places of the input; 1 for vectors
    cols: Floats
    kernel: Floats  # places that a window reaches over, in each direction that there is
    stride: Floats
    per_channel: Floats  # 1: a scale of its own for each output, 0: a power of two for all
    pe: Floats
    simd: Floats
    reuse: Floats

    @property
    def designs(self) -> int:
        """Number of designs."""
        return int(self.design[-1]) + 1 if self.design.size else 0

    @property
    def taps(self) -> Floats:
        """Places under a window."""
        return self.kernel * np.where(self.cols > 1, self.kernel, 1.0)

    @property
    def inputs(self) -> Floats:
        """Factors of one output."""
        return self.taps * self.channels

    @property
    def places(self) -> Floats:
        """Places of the output; windows keep the size, padded, but for the stride."""
        across = np.where(self.cols > 1, np.ceil(self.cols / self.stride), 1.0)
        high: Floats = np.where(self.rows > 1, np.ceil(self.rows / self.stride), 1.0)
        return high * across

    @property
    def acc_bits(self) -> Floats:
        """Bits of a sum, for bell-shaped weights."""
        largest = np.where(self.w_bits <= 2, 1.0, MEAN_WEIGHT * np.exp2(self.w_bits - 1))
        return clog2(self.inputs * self.density * largest * (np.exp2(self.a_bits) - 1) + 1) + 1

    def sums(self, per_layer: Floats) -> Floats:
        """Sum over the layers of each design: (layers,) to (designs,)."""
        return np.bincount(self.design, weights=per_layer, minlength=self.designs).astype(np.float64)

    def most(self, per_layer: Floats) -> Floats:
        """Largest over the layers of each design: (layers,) to (designs,)."""
        starts = np.searchsorted(self.design, np.arange(self.designs))
        found: Floats = np.maximum.reduceat(per_layer, starts)
        return found


def layer_table(designs: NDArray[np.int64], **columns: object) -> LayerTable:
    """A table from arrays or numbers; what is not given is that of a dense layer, fully parallel, without zeros."""
    n = designs.size
    plain = dict.fromkeys(("density", "rows", "cols", "kernel", "stride", "reuse", "pe", "simd"), 1.0)
    plain |= {"per_channel": 0.0}
    names = [f.name for f in fields(LayerTable) if f.name != "design"]
    unknown = set(columns) - set(names)
    assert not unknown, f"no column {', '.join(sorted(unknown))}; there are {', '.join(names)}"
    found = {name: np.broadcast_to(np.asarray(columns.get(name, plain.get(name)), np.float64), n) for name in names}
    return LayerTable(design=designs, **found)


@dataclass(frozen=True, eq=False)
class PriceTable:
    """Prices of many designs: target -> (designs,) of values, lows and highs.

    Targets are lut, ff, dsp, bram (as ``Device.bram`` counts), latency_cycles, ii_cycles.
    """

    value: dict[str, Floats]
    low: dict[str, Floats]
    high: dict[str, Floats]
    calibration: str
