"""Cycles of a layer: three models, by what the device is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bitsmith.hls.accelerators.schema import Accelerator, Max7800xRates, ProcessorRates, Tile, TileRates
from bitsmith.hls.estimate.accelerators.layers import Layer, in_flight
from bitsmith.hls.estimate.accelerators.memory import stored_width, tensor_bytes, weight_bytes
from bitsmith.hls.estimate.accelerators.rules import runs_on_host
from bitsmith.hls.estimate.physics import scaled
from bitsmith.hls.results import ZERO, Figure
from bitsmith.models.ir import Conv, Pool


@dataclass(frozen=True)
class Spent:
    """Cycles of one layer, and what they go to."""

    cycles: Figure
    detail: str


def over(work: float, rate: Figure) -> Figure:
    """Cycles of ``work`` at ``rate`` per cycle: the bounds change places."""
    if work == 0:
        return ZERO
    return Figure(work / rate.value, work / rate.high, work / rate.low)


def larger(*figures: Figure) -> Figure:
    """The largest of several, bound by bound."""
    return Figure(max(f.value for f in figures), max(f.low for f in figures), max(f.high for f in figures))


def cycles_of(layers: tuple[Layer, ...], layer: Layer, streamed: int, board: Accelerator) -> Spent:
    """Cycles that the documents promise; ``streamed`` bytes of weights come from outside."""
    rates = board.rates
    if isinstance(rates, Max7800xRates):
        return _max7800x(layers, layer, rates)
    if isinstance(rates, ProcessorRates):
        return _processor(layer, rates)
    return _tiles(layer, streamed, rates, board)


def peak_macs_per_cycle(board: Accelerator) -> float:
    """Multiplications that the device does per cycle at best; 0 for a processor."""
    rates = board.rates
    if isinstance(rates, Max7800xRates):
        return 9.0 * rates.processors
    if isinstance(rates, ProcessorRates):
        return 0.0
    kinds = (*rates.conv, *rates.pointwise, *rates.dense)
    bits = max(board.format.weight_bits)
    return max(t.pixels * t.inputs * t.outputs * t.taps / (t.cycles * (bits if t.serial else 1)) for t in kinds)


def call_cycles(board: Accelerator) -> Figure:
    """Start and end of an inference."""
    call, clock = board.rates.call_us, board.clock_mhz
    start = board.rates.start_cycles if isinstance(board.rates, Max7800xRates) else 0
    return Figure(call.value * clock.value + start, call.low * clock.low + start, call.high * clock.high + start)


def _max7800x(layers: tuple[Layer, ...], layer: Layer, rates: Max7800xRates) -> Spent:
    """The latency formula of ai8x-synthesis, ``izer/stats.py``, ``calc_latency``.

    Its term for the outputs is taken once per pass over 64 input channels:
    otherwise a layer would do more than nine products per processor and cycle.
    A pool before a convolution is done in flight: it reads its windows, and
    the convolution's own reading is free.
    """
    if layer.kind == "argmax":
        return Spent(scaled(layer.inputs[0].elements, rates.host_cycles_per_element), "by the processor")
    passes = math.ceil(layer.inputs[0].channels / rates.processors) * layer.flattened_places
    places = layer.op.shape[:-1] or (1,)
    rows, columns = (places[0], places[1]) if len(places) == 2 else (math.prod(places), 1)
    outputs = layer.op.shape[-1]
    reads, pad = (layer.inputs[0].places if layer.flattened_places == 1 else 1), 0
    if isinstance(layer.op, Pool):
        reads = math.prod(layer.op.window) * rows * columns
        if in_flight(layers, layer):
            return Spent(scaled(passes * reads, rates.cycles), f"in flight, {passes} passes")
    elif _pooled_before(layers, layer):
        reads = 0
    if isinstance(layer.op, Conv):
        side = [p[0] for p in layer.op.pads] + [0]
        pad = 2 * rates.pad_cycles * (side[0] * (2 * side[1] + columns) + side[1] * rows)
    inputs = len(layer.inputs) * passes * (reads + pad)
    spent = inputs + passes * rows * columns * (outputs + rates.pad_cycles)
    return Spent(scaled(spent, rates.cycles), f"{passes} passes of {rates.processors} channels")


def _pooled_before(layers: tuple[Layer, ...], layer: Layer) -> bool:
    before = [other for other in layers if other.output.name == layer.inputs[0].name and isinstance(other.op, Pool)]
    return layer.flattened_places == 1 and any(in_flight(layers, pool) for pool in before)


def _processor(layer: Layer, rates: ProcessorRates) -> Spent:
    per_mac = {
        "conv": rates.conv_cycles_per_mac,
        "pointwise": rates.pointwise_cycles_per_mac,
        "depthwise": rates.depthwise_cycles_per_mac,
        "dense": rates.dense_cycles_per_mac,
    }
    if layer.kind in per_mac:
        outputs = scaled(math.prod(layer.op.shape), rates.cycles_per_output)
        spent = scaled(layer.macs, per_mac[layer.kind]) + outputs + rates.layer_cycles
        return Spent(spent, f"{layer.macs:,} products one after another")
    return Spent(scaled(_elements(layer), rates.cycles_per_element) + rates.layer_cycles, "element by element")


def _elements(layer: Layer) -> int:
    """Integers that an op without weights touches."""
    window = math.prod(layer.kernel) if isinstance(layer.op, Pool) else len(layer.inputs)
    return layer.output.elements * max(window, 1)


def _tiles(layer: Layer, streamed: int, rates: TileRates, board: Accelerator) -> Spent:
    if not layer.weights:
        if runs_on_host(layer, board) or layer.kind == "argmax":
            return Spent(scaled(_elements(layer), rates.host_cycles_per_element), "by the processor")
        return Spent(over(_elements(layer), rates.elements_per_cycle) + rates.layer_cycles, "element by element")
    if runs_on_host(layer, board):
        rate = rates.host_macs_per_cycle
        if rate.value == 0:
            return Spent(scaled(layer.macs, rates.host_cycles_per_element), "by the processor")
        return Spent(over(layer.macs, rate) + rates.layer_cycles, "by the processor")
    bits = stored_width(layer.weight_bits, board.format.weight_bits)
    steps = min(tile_cycles(layer, tile, bits) for tile in getattr(rates, layer.kind))
    size = weight_bytes(layer, board)
    moved = sum(tensor_bytes(t, board) for t in (*layer.inputs, layer.output))
    parts = {
        "multiplying": over(steps, rates.efficiency),
        "reading weights": over(size - streamed, rates.weight_bytes_per_cycle),
        "streaming weights": over(streamed, rates.stream_bytes_per_cycle),
        "moving activations": over(moved, rates.activation_bytes_per_cycle),
    }
    slowest = max(parts, key=lambda name: parts[name].value)
    return Spent(larger(*parts.values()) + rates.layer_cycles, f"{steps:,} steps of the array; bound by {slowest}")


def tile_cycles(layer: Layer, tile: Tile, weight_bits: int) -> int:
    """Cycles of a layer at full speed, every dimension rounded up to whole tiles."""
    depthwise = layer.kind == "depthwise"
    inputs = 1 if depthwise else math.ceil(layer.in_channels / tile.inputs)
    kernel = math.prod(layer.kernel) if isinstance(layer.op, Conv) else 1
    if depthwise:
        kernel *= layer.in_channels  # of a group: 1 in a depthwise convolution proper
    steps = (
        math.ceil(layer.head_places / tile.pixels)
        * inputs
        * math.ceil(layer.op.shape[-1] / tile.outputs)
        * math.ceil(kernel / tile.taps)
    )
    return steps * tile.cycles * (weight_bits if tile.serial else 1)
