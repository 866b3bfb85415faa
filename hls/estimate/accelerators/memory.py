"""What a net takes of an accelerator's memories, in bytes."""

from __future__ import annotations

import math

from bitsmith.hls.accelerators.schema import Accelerator, Max7800xRates
from bitsmith.hls.estimate.accelerators.layers import Layer, Tensor, peak_tensors
from bitsmith.hls.results import Figure, MemoryUse
from bitsmith.models.ir import QNet

KERNEL_BYTES = 9
"""MAX7800x: a place of the weight memory holds nine bytes, a 3x3 kernel of 8 bits (ai8x-synthesis, tornadocnn.py)."""


def stored_width(bits: int, widths: tuple[int, ...]) -> int:
    """The narrowest of ``widths`` that holds ``bits``; the widest if none does (then a rule refuses the layer)."""
    return next((w for w in widths if w >= bits), widths[-1])


def weight_bytes(layer: Layer, board: Accelerator) -> int:
    """Weights of one layer at the width that the device stores."""
    if not layer.weights:
        return 0
    return math.ceil(layer.weights * stored_width(layer.weight_bits, board.format.weight_bits) / 8)


def bias_bytes(layer: Layer, board: Accelerator) -> int:
    """Biases of one layer."""
    return layer.biases * board.format.bias_bits // 8


def tensor_bytes(tensor: Tensor, board: Accelerator) -> int:
    """A tensor between layers, its channels rounded up to the device's groups."""
    group = board.memory.channels_multiple
    channels = group * math.ceil(tensor.channels / group)
    widths = (*board.format.activation_bits, 32)
    return tensor.places * channels * stored_width(tensor.bits, widths) // 8


def memory_use(net: QNet, layers: tuple[Layer, ...], board: Accelerator) -> tuple[MemoryUse, ...]:
    """Every memory with what is used and what is there.  Streamed weights stand in a memory of their own."""
    memory = board.memory
    weights = sum(weight_bytes(layer, board) for layer in layers)
    biases = sum(bias_bytes(layer, board) for layer in layers)
    with_weights = float(weights) if memory.biases_bytes else float(weights + biases)
    if isinstance(board.rates, Max7800xRates):
        used = Figure(float(_placed(layers, board)), with_weights, float(_all_first(layers, board)))
    else:
        used = Figure.exact(with_weights) + memory.runtime_bytes
    rows = [MemoryUse("weights", used, memory.weights_bytes + memory.stream_bytes)]
    if memory.biases_bytes:
        rows.append(MemoryUse("biases", Figure.exact(float(biases)), memory.biases_bytes))
    peak = max((sum(tensor_bytes(t, board) for t in alive) for _, alive in peak_tensors(net, layers)), default=0)
    rows.append(MemoryUse("activations", Figure.exact(float(peak)), memory.activations_bytes))
    return tuple(rows)


def streamed_bytes(layers: tuple[Layer, ...], board: Accelerator) -> dict[str, int]:
    """Per layer: weight bytes that come from outside of the chip in every inference.

    The chip's memory is filled in the order of the net; what is left over is
    streamed.  Nothing is where the device cannot stream: the net does not fit then.
    """
    if board.memory.stream_bytes == 0:
        return {layer.name: 0 for layer in layers}
    left = board.memory.weights_bytes - math.ceil(board.memory.runtime_bytes.value)
    streamed = {}
    for layer in layers:
        size = weight_bytes(layer, board)
        kept = min(size, max(left, 0))
        left -= kept
        streamed[layer.name] = size - kept
    return streamed


def _kernels(layer: Layer, board: Accelerator) -> tuple[int, int]:
    """MAX7800x: (processors that a layer takes, places of nine bytes in each of them)."""
    assert isinstance(board.rates, Max7800xRates)
    channels = layer.inputs[0].channels
    processors = min(channels, board.rates.processors)
    return processors, math.ceil(math.ceil(weight_bytes(layer, board) / processors) / KERNEL_BYTES)


def _placed(layers: tuple[Layer, ...], board: Accelerator) -> int:
    """Bytes gone when each layer begins at the group of four processors where the fullest memory grows least.

    All processors' memories are equally large here, so the fullest one counts for all.
    """
    assert isinstance(board.rates, Max7800xRates)
    load = [0] * board.rates.processors
    for layer in layers:
        if not layer.weights:
            continue
        width, places = _kernels(layer, board)
        starts = range(0, len(load) - width + 1, 4)
        start = min(starts, key=lambda s: (max(load[s : s + width]), s))
        for p in range(start, start + width):
            load[p] += places
    return max(load) * KERNEL_BYTES * len(load)


def _all_first(layers: tuple[Layer, ...], board: Accelerator) -> int:
    """Bytes gone when every layer begins at the first processor."""
    assert isinstance(board.rates, Max7800xRates)
    places = sum(_kernels(layer, board)[1] for layer in layers if layer.weights)
    return places * KERNEL_BYTES * board.rates.processors
