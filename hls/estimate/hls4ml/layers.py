"""What the hls4ml model knows of a design: plain layers, and the same as columns for many designs at once.

A layer is one call in the firmware of an hls4ml project.  The words are those
of hls4ml: reuse factor, strategy, io type; a matrix is ``n_in`` by ``n_out``,
for a convolution the window (kernel times channels) by the filters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

KINDS = (
    "dense", "conv", "activation", "softmax", "pool", "global_pool", "pad", "normalize", "merge", "resize",
    "clone", "wiring",
)  # fmt: skip
"""``activation`` is any function value by value; ``wiring`` costs nothing."""

STRATEGIES = ("latency", "resource")


@dataclass(frozen=True)
class HlsLayer:
    """One layer.  Counts of weights are of the whole matrix; what is not known is filled in by :mod:`rows`."""

    kind: str  # one of KINDS
    name: str = ""
    n_in: int = 1  # rows of the matrix; values per position for all other kinds
    n_out: int = 1
    places_in: int = 1  # positions (pixels) that it takes, padding included
    places_out: int = 1
    kernel_h: int = 1
    kernel_w: int = 1
    channels: int = 1  # values per position taken
    in_bits: int = 16
    out_bits: int = 16
    acc_bits: int = 16
    weight_bits: int = 0
    nonzero: float = 0.0  # the next five: see weights.Products
    ones: float = 0.0
    twos: float = 0.0
    soft: float = 0.0
    hard: float = 0.0
    span_bits: float = 0.0
    reuse: int = 1
    strategy: str = "latency"
    single_stream: bool = False  # values one after the other, not a position at a time
    copies: int = 1  # how often the matrix stands side by side (io_parallel convolutions)
    rounds: bool = False  # the type of the sums rounds (else it truncates)
    saturates: bool = False  # the type of the sums saturates (else it wraps)


@dataclass(frozen=True)
class HlsDesign:
    """A project: its layers in order, and what it is built with."""

    name: str
    layers: tuple[HlsLayer, ...]
    stream: bool = False  # io_stream
    clock_ns: float = 5.0
    vitis: bool = False  # Vitis HLS (2020.2 on), else Vivado HLS
    series7: bool = False  # 28 nm parts (Artix-7, Zynq-7000, ...), else UltraScale and later
    plain: bool = False  # known to have sums that neither round nor saturate
    axi: bool = False  # behind the AXI port of hls4ml's accelerator back ends
    module: bool = False  # one module of a design priced alone: no ports, no FIFOs


@dataclass(frozen=True, eq=False)
class Columns:
    """Layers of many designs, one array of shape (layers,) per attribute; the designs' own of shape (designs,)."""

    kind: NDArray[np.int64]  # index into KINDS
    n_in: Floats
    n_out: Floats
    places_in: Floats
    places_out: Floats
    kernel_h: Floats
    kernel_w: Floats
    channels: Floats
    in_bits: Floats
    out_bits: Floats
    acc_bits: Floats
    weight_bits: Floats
    nonzero: Floats
    ones: Floats
    twos: Floats
    soft: Floats
    hard: Floats
    span_bits: Floats
    reuse: Floats
    resource: Bools
    single_stream: Bools
    copies: Floats
    rounds: Bools
    saturates: Bools
    design: NDArray[np.int64]  # of each layer: index of its design, ascending
    stream: Bools
    clock_ns: Floats
    vitis: Bools
    series7: Bools
    plain: Bools
    axi: Bools
    module: Bools

    @property
    def designs(self) -> int:
        """Number of designs."""
        return self.stream.size

    def of_layers(self, per_design: NDArray[Any]) -> NDArray[Any]:
        """An attribute of the designs, repeated for their layers."""
        return per_design[self.design]

    def sums(self, per_layer: Floats) -> Floats:
        """Sum over the layers of each design: (layers,) to (designs,)."""
        return np.bincount(self.design, weights=per_layer, minlength=self.designs).astype(np.float64)

    def largest(self, per_layer: Floats) -> Floats:
        """Largest over the layers of each design, 0 for none: (layers,) to (designs,)."""
        found: Floats = np.zeros(self.designs)
        np.maximum.at(found, self.design, per_layer)
        return found

    def is_kind(self, *kinds: str) -> Bools:
        """Which layers are of these kinds."""
        return np.isin(self.kind, [KINDS.index(k) for k in kinds])

    @property
    def matrix(self) -> Bools:
        """Layers with a matrix of weights."""
        return self.is_kind("dense", "conv")


_OTHERS = ("kind", "name", "strategy", "single_stream", "rounds", "saturates")
_LAYER_COLUMNS = tuple(f.name for f in fields(HlsLayer) if f.name not in _OTHERS)


def columns(designs: Sequence[HlsDesign]) -> Columns:
    """The columns of ``designs``."""
    layers = [layer for design in designs for layer in design.layers]
    counts = [len(design.layers) for design in designs]

    def floats(values: Iterable[float]) -> Floats:
        return np.array(list(values), dtype=np.float64)

    def bools(values: Iterable[bool]) -> Bools:
        return np.array(list(values), dtype=np.bool_)

    return Columns(
        kind=np.array([KINDS.index(layer.kind) for layer in layers], dtype=np.int64),
        **{name: floats(getattr(layer, name) for layer in layers) for name in _LAYER_COLUMNS},
        resource=bools(layer.strategy == "resource" for layer in layers),
        single_stream=bools(layer.single_stream for layer in layers),
        rounds=bools(layer.rounds for layer in layers),
        saturates=bools(layer.saturates for layer in layers),
        design=np.repeat(np.arange(len(designs)), counts),
        stream=bools(d.stream for d in designs),
        clock_ns=floats(d.clock_ns for d in designs),
        vitis=bools(d.vitis for d in designs),
        series7=bools(d.series7 for d in designs),
        plain=bools(d.plain for d in designs),
        axi=bools(d.axi for d in designs),
        module=bools(d.module for d in designs),
    )


def dense_columns(
    n_in: Floats, n_out: Floats, in_bits: Floats, acc_bits: Floats, weight_bits: Floats, products: Sequence[Floats],
    reuse: Floats, resource: Bools, clock_ns: float = 5.0, vitis: bool = False, series7: bool = False,
) -> Columns:  # fmt: skip
    """Many designs of one dense layer each, without a Python object per design: what a search prices by the 100,000.

    All arrays of shape (designs,); ``products`` are six: nonzero, ones, twos, soft, hard, span_bits.
    """
    n = n_in.size
    one, no = np.ones(n), np.zeros(n, dtype=np.bool_)
    nonzero, ones, twos, soft, hard, span = products
    return Columns(
        kind=np.zeros(n, dtype=np.int64), n_in=n_in, n_out=n_out, places_in=one, places_out=one, kernel_h=one,
        kernel_w=one, channels=n_in, in_bits=in_bits, out_bits=acc_bits, acc_bits=acc_bits, weight_bits=weight_bits,
        nonzero=nonzero, ones=ones, twos=twos, soft=soft, hard=hard, span_bits=span, reuse=reuse, resource=resource,
        single_stream=no, copies=one, rounds=no, saturates=no, design=np.arange(n), stream=no,
        clock_ns=np.full(n, clock_ns), vitis=np.full(n, vitis), series7=np.full(n, series7), plain=no, axi=no,
        module=no,
    )  # fmt: skip
