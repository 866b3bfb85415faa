"""The hardware layers that FINN makes of the units, under the names that it will give them.

FINN's folding file addresses layers by name, and the names come from its
conversion: the kind of the layer with its number in the order of the graph.  The
rules are those of FINN+ 1.6.1 (``convert_to_hw``, ``InferDuplicateStreamsLayer``,
``SpecializeLayers``); the test against FINN itself holds that they are met.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from itertools import count

from bitsmith.hls.backends.finn.units import (
    Affine,
    Enlarge,
    Join,
    Pair,
    Pooling,
    Product,
    Reform,
    Sides,
    Source,
    Steps,
    Sum,
    Unit,
    Window,
    Winner,
)
from bitsmith.models.ir.ops import Shape

DSP_LIMITS = {"xc7": (18, 25, 48), "xcup": (18, 27, 48)}
"""Family -> widest activation, weight and sum of FINN's DSP-based product (``get_dsp_datapath_limits``)."""
RTL_MIN_BITS = 4
"""FINN prefers its DSP-based product from this width of weights and activations on."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One hardware layer: FINN's name for it, and the sizes that its folding depends on."""

    kind: str  # FINN's, the implementation style included: "MVAU_hls"
    name: str = ""  # kind and number
    op: str  # of the net
    reads: tuple[str, ...]  # names of layers
    vectors: int = 1  # how many times per inference it works through its channels
    channels: int = 1  # on the side that PE or SIMD divides
    bits: int = 1  # width of one output element
    in_bits: int = 1
    rows: int = 1  # products: length of the sum (FINN's MW)
    weight_bits: int = 1
    levels: int = 0  # thresholds per channel
    image: Pair = (1, 1)  # windows: size of the (padded) input
    places: Pair = (1, 1)  # windows: size of the output
    kernel: Pair = (1, 1)
    strides: Pair = (1, 1)
    dilations: Pair = (1, 1)
    depthwise: bool = False


def layers_of(units: tuple[Unit, ...], family: str) -> tuple[Layer, ...]:
    """The layers of ``units`` in FINN's order, named; a :class:`Layer` reads others by name."""
    made = _Maker(units, family).run()
    return _named(_sorted(made))


class _Maker:
    def __init__(self, units: tuple[Unit, ...], family: str) -> None:
        self.units = units
        self.by_name = {u.name: u for u in units}
        self.family = family
        self.serial = count()
        self.layers: list[Layer] = []
        self.producer: dict[str, str] = {}  # tensor -> layer that makes it; "" for the graph's input

    def run(self) -> list[Layer]:
        for unit in self.units:
            if isinstance(unit, Source):
                self.producer[unit.name] = ""
            else:
                self.add(unit)
            readers = [u for u in self.units for i in u.inputs if i == unit.name]
            if len(readers) > 1:
                self.copy(unit, len(readers))
        return self.layers

    def put(self, kind: str, op: str, reads: tuple[str, ...], **fields: object) -> str:
        """Append a layer under a provisional name."""
        name = f"{next(self.serial)}"
        self.layers.append(Layer(kind=kind, name=name, op=op, reads=reads, **fields))  # type: ignore[arg-type]
        return name

    def copy(self, unit: Unit, readers: int) -> None:
        """FINN copies a stream that several read."""
        reads = (self.producer[unit.name],)
        fields = {"vectors": math.prod(unit.shape[:-1]), "channels": unit.shape[-1], "bits": unit.bits * readers}
        self.producer[unit.name] = self.put("DuplicateStreams_hls", unit.op, reads, **fields)

    def add(self, unit: Unit) -> None:
        """The layers of one unit."""
        reads = tuple(self.producer[i] for i in unit.inputs)
        source = self.by_name[unit.inputs[0]]
        shape, channels = unit.shape, unit.shape[-1]
        common = {"vectors": math.prod(shape[:-1]), "channels": channels, "bits": unit.bits, "in_bits": source.bits}
        if isinstance(unit, Window):
            name = self.window(unit, source.shape, reads, unit.kernel, unit.strides, unit.pads, unit.dilations)
        elif isinstance(unit, Pooling):
            swept = self.window(unit, source.shape, reads, unit.kernel, unit.strides, unit.pads, (1, 1), deep=True)
            name = self.put("Pool_hls", unit.op, (swept,), kernel=unit.kernel, depthwise=True, **common)
        elif isinstance(unit, Product):
            name = self.product(unit, reads, common)
        elif isinstance(unit, Reform) and self.vanishes(unit):
            name = reads[0]
        else:
            name = self.put(_kind(unit), unit.op, reads, **self.sizes(unit, common))
        self.producer[unit.name] = name

    def sizes(self, unit: Unit, common: dict[str, int]) -> dict[str, int]:
        """What the folding of a plain layer depends on."""
        parts = [self.by_name[i].shape[-1] for i in unit.inputs]
        if isinstance(unit, Steps):
            return {**common, "levels": unit.thresholds.shape[1]}
        if isinstance(unit, Join | Reform):  # one factor must divide all of them; the rest counts as repetition
            divisible = math.gcd(*parts, unit.shape[-1])
            return {**common, "channels": divisible, "vectors": math.prod(unit.shape) // divisible}
        if isinstance(unit, Winner):
            return {**common, "channels": parts[0], "vectors": 1}
        return common

    def window(
        self, unit: Unit, shape: Shape, reads: tuple[str, ...], kernel: Pair, strides: Pair, pads: Sides,
        dilations: Pair, deep: bool = False,
    ) -> str:  # fmt: skip
        """Padding, if there is any, and the generator of windows."""
        channels, bits = shape[-1], self.by_name[unit.inputs[0]].bits
        image = (shape[1] + pads[0] + pads[2], shape[2] + pads[1] + pads[3])
        common = {"channels": channels, "bits": bits, "in_bits": bits}
        if any(pads):
            reads = (self.put("FMPadding_rtl", unit.op, reads, vectors=math.prod(image), **common),)
        return self.put(
            "ConvolutionInputGenerator_rtl", unit.op, reads, image=image, places=(unit.shape[1], unit.shape[2]),
            kernel=kernel, strides=strides, dilations=dilations, depthwise=deep or getattr(unit, "depthwise", False),
            vectors=math.prod(image), **common,
        )  # fmt: skip

    def product(self, unit: Product, reads: tuple[str, ...], common: dict[str, int]) -> str:
        """A matrix-vector product, or a depthwise one; DSP-based where FINN has it so."""
        low, high = int(unit.weight.min()), int(unit.weight.max())
        weight = Unit(name="", op="", inputs=(), shape=(), lo=low, hi=high)
        fields = {**common, "weight_bits": weight.bits}
        if unit.kernel:
            return self.put("VVAU_hls", unit.op, reads, rows=math.prod(unit.kernel), kernel=unit.kernel, **fields)
        source = self.by_name[unit.inputs[0]]
        widths = (source.bits, weight.bits, unit.bits)
        rtl = _dsp_based(self.family, widths, source.lo < 0, (low, -(1 << (weight.bits - 1))))
        return self.put(f"MVAU_{'rtl' if rtl else 'hls'}", unit.op, reads, rows=unit.weight.shape[0], **fields)

    def vanishes(self, unit: Reform) -> bool:
        """FINN drops a flattening between two layers: the stream is the same."""
        return len(unit.shape) == 2 and self.producer[unit.inputs[0]] != "" and unit is not self.units[-1]


def _kind(unit: Unit) -> str:
    kinds: dict[type[Unit], str] = {
        Steps: "Thresholding_rtl",
        Sum: "ElementwiseAdd_hls",
        Join: "StreamingConcat_hls",
        Reform: "Reshape_rtl",
        Enlarge: "UpsampleNearestNeighbour_hls",
        Winner: "LabelSelect_hls",
    }
    return f"Elementwise{unit.function}_hls" if isinstance(unit, Affine) else kinds[type(unit)]


def _dsp_based(family: str, widths: tuple[int, int, int], signed: bool, ends: tuple[int, int]) -> bool:
    """FINN's rule for its DSP-based product (``_mvu_rtl_possible``).

    ``widths`` are of activations, weights and sums; ``signed`` is of the activations; ``ends`` are the
    smallest weight and the smallest of its type.
    """
    activation, weight, total = widths
    if ends[0] >= 0 or (family == "xc7" and ends[0] == ends[1]):  # the older block lacks a bit for the lowest weight
        return False
    most = DSP_LIMITS[family]
    wide_enough = min(activation, weight) >= RTL_MIN_BITS
    return wide_enough and activation - signed < most[0] and weight <= most[1] and total <= most[2]


def _sorted(layers: list[Layer]) -> list[Layer]:
    """FINN's order where a stream is copied: by depth, then as they were made; else as they were made."""
    depth: dict[str, int] = {"": 0}
    for layer in layers:
        depth[layer.name] = 1 + max(depth[r] for r in layer.reads)
    if not any(layer.kind.startswith("Duplicate") for layer in layers):
        return layers
    return sorted(layers, key=lambda layer: depth[layer.name])


def _named(layers: list[Layer]) -> tuple[Layer, ...]:
    numbers: Counter[str] = Counter()
    names = {"": ""}
    for layer in layers:
        names[layer.name] = f"{layer.kind}_{numbers[layer.kind]}"
        numbers[layer.kind] += 1
    return tuple(replace(lay, name=names[lay.name], reads=tuple(names[r] for r in lay.reads)) for lay in layers)
