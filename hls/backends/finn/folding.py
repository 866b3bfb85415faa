"""How much of every layer works at once: the cheapest folding that meets a rate, found exactly.

In a stream of layers the slowest sets the rate, so a target of N cycles between
two results asks of each layer, on its own, at most N cycles (FINN paper, arXiv:1612.07119,
section 5).  The layers' choices are few (divisors), and a design's cost is the sum of
its layers', so the cheapest choice of each that is fast enough is the cheapest design.
Cost is the sum of the shares of the device that LUTs, DSPs and block RAMs take.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

from bitsmith.hls.backends.divisors import divisors
from bitsmith.hls.backends.finn.cost import Area, area, cycles
from bitsmith.hls.backends.finn.layers import Layer
from bitsmith.hls.config import Device
from bitsmith.hls.results import Json

FILL = 0.8
"""Share of the device that a folding may take by these figures, which leave streams and control out."""
MAX_STREAM_BITS = 8191
"""Widest integer of AMD's HLS library."""
SLICES = 1024
"""FINN's HLS product wants SIMD of at least this part of the length of the sum."""
BY_SIMD = ("FMPadding", "StreamingConcat", "UpsampleNearestNeighbour", "ConvolutionInputGenerator")
"""Layers whose folding factor FINN calls SIMD; all others have PE, products both."""


@dataclass(frozen=True)
class Choice:
    """One way to fold a layer, or two layers that must be folded alike."""

    settings: dict[str, dict[str, int]]  # layer -> FINN's attributes
    cycles: int
    area: Area


Ladder = list[tuple[int, Choice]]


@dataclass(frozen=True)
class Folding:
    """A folding of the whole design."""

    choices: tuple[Choice, ...]

    @property
    def ii_cycles(self) -> int:
        """Cycles between two results: those of the slowest layer."""
        return max((c.cycles for c in self.choices), default=1)

    @property
    def area(self) -> Area:
        """Sum over the layers."""
        return reduce(Area.__add__, (c.area for c in self.choices), Area())

    def as_json(self) -> Json:
        """FINN's folding file."""
        settings = {name: dict(s) for c in self.choices for name, s in c.settings.items()}
        return {"Defaults": {}, **settings}


def fastest(layers: Sequence[Layer], device: Device) -> Folding | None:
    """The folding with the fewest cycles that fits ``device``; None if none fits."""
    ladders = _ladders(layers, device)
    for target in sorted({step[0] for ladder in ladders for step in ladder}):
        found = _pick(ladders, target)
        if found is not None and fits(found, device):
            return found
    return None


def cheapest(layers: Sequence[Layer], device: Device, target_cycles: int) -> Folding | None:
    """The cheapest folding of at most ``target_cycles`` between results; None if no folding is that fast."""
    return _pick(_ladders(layers, device), target_cycles)


def fits(folding: Folding, device: Device) -> bool:
    """Whether the folding stays below :data:`FILL` of every resource."""
    used = folding.area
    return used.lut <= FILL * device.lut and used.dsp <= FILL * device.dsp and used.bram <= FILL * device.bram


def _ladders(layers: Sequence[Layer], device: Device) -> list[Ladder]:
    """Per group and ascending: a number of cycles, and the cheapest choice that takes no more."""
    ladders = []
    for group in choices_of(layers):
        ladder: Ladder = []
        for choice in sorted(group, key=lambda c: (c.cycles, _cost(c.area, device))):
            if not ladder or _cost(choice.area, device) < _cost(ladder[-1][1].area, device):
                ladder.append((choice.cycles, choice))
        ladders.append(ladder)
    return ladders


def _pick(ladders: Sequence[Ladder], target: int) -> Folding | None:
    places = [bisect_right(ladder, target, key=lambda step: step[0]) for ladder in ladders]
    if 0 in places:
        return None
    return Folding(tuple(ladder[place - 1][1] for ladder, place in zip(ladders, places, strict=True)))


def _cost(used: Area, device: Device) -> float:
    return used.lut / device.lut + used.dsp / max(device.dsp, 1) + used.bram / max(device.bram, 1)


def choices_of(layers: Sequence[Layer]) -> list[list[Choice]]:
    """Every legal folding, group by group."""
    by_name = {layer.name: layer for layer in layers}
    swept = {layer.reads[0]: layer for layer in layers if _bound(layer, by_name)}
    groups = []
    for layer in layers:
        if layer.name in swept:
            continue  # comes with the layer that reads it
        window = by_name[layer.reads[0]] if layer.reads and layer.reads[0] in swept else None
        groups.append(list(_together(layer, window) if window else _alone(layer)))
    return groups


def _bound(layer: Layer, by_name: dict[str, Layer]) -> bool:
    """Depthwise layers work on as many channels at once as the generator of their windows."""
    source = by_name.get(layer.reads[0]) if layer.reads else None
    deep = layer.kind.startswith(("VVAU", "Pool"))
    return deep and source is not None and source.kind.startswith("ConvolutionInputGenerator")


def _alone(layer: Layer) -> Iterator[Choice]:
    if layer.kind.startswith(("MVAU", "VVAU")):
        for pe in divisors(layer.channels):
            for simd in divisors(layer.rows):
                if _legal_product(layer, pe, simd):
                    yield _choice(layer, pe, simd, {"PE": pe, "SIMD": simd})
        return
    by_simd = layer.kind.startswith(BY_SIMD)
    windows = layer.kind.startswith("ConvolutionInputGenerator")
    for factor in divisors(layer.channels):
        if factor > 1 and factor * layer.bits > MAX_STREAM_BITS:
            continue
        pe, simd = (1, factor) if by_simd else (factor, 1)
        extra = {"parallel_window": 0} if windows else {}
        yield _choice(layer, pe, simd, {"SIMD" if by_simd else "PE": factor, **extra})
    if windows and layer.kernel != (1, 1):
        yield _choice(layer, 1, layer.channels, {"SIMD": layer.channels, "parallel_window": 1}, True)


def _together(layer: Layer, window: Layer) -> Iterator[Choice]:
    for pe in divisors(layer.channels):
        wide = pe == layer.channels and layer.kind.startswith("VVAU")
        for simd in divisors(layer.rows) if wide else [1]:
            parallel = simd > 1
            own = {"PE": pe, "SIMD": simd} if layer.kind.startswith("VVAU") else {"PE": pe}
            first = _choice(window, 1, pe, {"SIMD": pe, "parallel_window": int(parallel)}, parallel)
            second = _choice(layer, pe, simd, own)
            yield Choice(
                {**first.settings, **second.settings}, max(first.cycles, second.cycles), first.area + second.area
            )


def _choice(layer: Layer, pe: int, simd: int, settings: dict[str, int], parallel: bool = False) -> Choice:
    return Choice({layer.name: settings}, cycles(layer, pe, simd, parallel), area(layer, pe, simd, parallel))


def _legal_product(layer: Layer, pe: int, simd: int) -> bool:
    widths = (pe * simd * layer.weight_bits, simd * layer.in_bits, pe * layer.bits)
    return max(widths) <= MAX_STREAM_BITS and (layer.kind.endswith("rtl") or simd * SLICES >= layer.rows)
