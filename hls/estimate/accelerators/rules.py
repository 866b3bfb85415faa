"""Why a net does not run on an accelerator as it is: every documented limit that it breaks."""

from __future__ import annotations

from collections.abc import Iterator

from bitsmith.hls.accelerators.schema import Accelerator, TileRates
from bitsmith.hls.estimate.accelerators.layers import Layer, in_flight, is_linear
from bitsmith.hls.results import MemoryUse, Problem
from bitsmith.models.ir import Conv, Lut, Pool, QNet, Thresholds

RETRAIN = "change the network"


def problems_of(
    net: QNet, layers: tuple[Layer, ...], memory: tuple[MemoryUse, ...], board: Accelerator
) -> tuple[Problem, ...]:
    """All of them, layer by layer, then those of the whole net."""
    found = [Problem(layer.name, *broken) for layer in layers for broken in _layer(layer, board, net)]
    count, most = counted_layers(layers), board.limits.layers
    if most is not None and count > most:
        found.append(Problem(net.name, f"{count} layers, {board.title} runs {most}", "leave layers out or join them"))
    for use in memory:
        if use.used.value > use.available:
            text = f"{use.name} take {use.used.value:,.0f} of {use.available:,} bytes"
            found.append(Problem(net.name, text, f"make the net {use.share:.3g} times smaller, or use fewer bits"))
    return tuple(found)


def counted_layers(layers: tuple[Layer, ...]) -> int:
    """Layers that count against a limit: pooling and adding are done in flight before a convolution."""
    return sum(1 for layer in layers if layer.kind not in ("argmax", "concat") and not in_flight(layers, layer))


Broken = tuple[str, str]
"""What is wrong, and what helps."""


def _layer(layer: Layer, board: Accelerator, net: QNet) -> Iterator[Broken]:
    if layer.kind in board.ops.refused:
        yield board.ops.refused[layer.kind], RETRAIN
        return
    yield from _widths(layer, board, net)
    yield from _functions(layer, board)
    if layer.weights:
        yield from _sizes(layer, board, net)
    if isinstance(layer.op, Conv) and not runs_on_host(layer, board):
        yield from _conv(layer.op, layer, board)
    if isinstance(layer.op, Pool):
        yield from _pool(layer.op, board)


def _widths(layer: Layer, board: Accelerator, net: QNet) -> Iterator[Broken]:
    widest = board.format.weight_bits[-1]
    if layer.weight_bits > widest:
        yield f"weights of {layer.weight_bits} bits, the device stores {widest} at most", "train with fewer bits"
    if layer.kind == "argmax":
        return
    for tensor in layer.inputs:
        if tensor.bits > board.format.activation_bits[-1]:
            text = f"it reads values of {tensor.bits} bits, the device stores {board.format.activation_bits[-1]}"
            yield text, f"quantize {tensor.name}"
    if layer.output.bits > 32:
        yield f"its results take {layer.output.bits} bits, the device has 32", "train with fewer bits"


def _functions(layer: Layer, board: Accelerator) -> Iterator[Broken]:
    for op in (layer.op, *layer.fused):
        if isinstance(op, Lut) and not board.ops.tables:
            yield f"{op.name} is a table, the device has none", "use ReLU or a linear quantizer"
        if isinstance(op, Lut) and 0 < board.ops.tables < op.table.size:
            yield f"{op.name} has {op.table.size} entries, a table of the device {board.ops.tables}", "use fewer bits"
        if isinstance(op, Thresholds) and not is_linear(op) and op.thresholds.shape[-1] > board.ops.tables:
            text = f"{op.name} has unevenly spaced steps, which the device's scale and shift cannot follow"
            yield text, "use a linear quantizer"


def _sizes(layer: Layer, board: Accelerator, net: QNet) -> Iterator[Broken]:
    limits = board.limits
    dense = layer.kind == "dense"
    inputs = layer.in_channels if dense else layer.inputs[0].channels
    most = limits.dense_inputs if dense and limits.dense_inputs is not None else limits.channels
    if most is not None and inputs > most:
        yield f"{inputs} input {'values' if dense else 'channels'}, the device takes {most}", "use fewer channels"
    if limits.channels is not None and layer.op.shape[-1] > limits.channels:
        yield f"{layer.op.shape[-1]} output channels, the device has {limits.channels}", "use fewer channels"
    sides = [s for shape in (layer.inputs[0].shape, layer.op.shape) for s in shape[:-1]]
    if limits.feature_side is not None and max(sides, default=0) > limits.feature_side:
        yield (
            f"a feature map of {max(sides)} rows or columns, the device takes {limits.feature_side}",
            "make it smaller",
        )
    if board.memory.tensor_lanes is not None:
        yield from _lanes(layer, board.memory.tensor_lanes, board, net)


def _lanes(layer: Layer, lanes: int, board: Accelerator, net: QNet) -> Iterator[Broken]:
    """A channel lies in one of the activation memories, so many channels share each."""
    for tensor in (*layer.inputs, layer.output):
        room = board.memory.activations_bytes // lanes
        if tensor.name == net.input.name and tensor.channels <= lanes // board.memory.channels_multiple:
            room *= board.memory.channels_multiple  # an input of few channels may lie channel by channel
        here = tensor.places * -(-tensor.channels // lanes)
        if here > room:
            text = f"{tensor.name} holds {here:,} values per channel memory, one has {room:,}"
            yield text, "make the feature map smaller, or stream it (not priced)"


def runs_on_host(layer: Layer, board: Accelerator) -> bool:
    """Whether the processor beside the engine has to do this layer, and can."""
    if layer.kind in board.ops.host:
        return True
    if not isinstance(board.rates, TileRates) or board.rates.host_macs_per_cycle.value == 0:
        return False
    return isinstance(layer.op, Conv) and any(True for _ in _conv(layer.op, layer, board))


def _conv(op: Conv, layer: Layer, board: Accelerator) -> Iterator[Broken]:
    limits, kernel = board.limits, op.kernel
    size = "x".join(str(k) for k in kernel)
    if len(kernel) == 2 and limits.kernels and kernel not in limits.kernels:
        known = " and ".join(f"{a}x{b}" for a, b in limits.kernels)
        yield f"a kernel of {size}, the device has {known}", f"use {known}"
    longest = limits.kernel_1d if len(kernel) == 1 and limits.kernel_1d is not None else limits.kernel_side
    if longest is not None and max(kernel) > longest:
        yield f"a kernel of {size}, the device has {longest} at most", "use a smaller kernel"
    if limits.kernel_volume is not None:
        groups = -(-layer.in_channels // limits.kernel_volume_channels)
        volume = groups * op.weight[..., 0, 0].size
        if volume > limits.kernel_volume:
            yield f"kernel places times channel groups are {volume}, the device has {limits.kernel_volume}", RETRAIN
    if limits.stride is not None and max(op.strides) > limits.stride:
        known = f"only stride {limits.stride}" if limits.stride == 1 else f"strides up to {limits.stride}"
        yield f"strides {op.strides}, the device has {known}", "pool before the convolution instead"
    if limits.pad is not None and max(p for pair in op.pads for p in pair) > limits.pad:
        yield f"padding {op.pads}, the device has {limits.pad} at most", "pad less"
    if limits.pad is not None and any(a != b for a, b in op.pads):
        yield f"padding {op.pads} is not the same on both sides", "pad evenly"
    if limits.dilation is not None and max(op.dilations) > limits.dilation:
        yield f"dilations {op.dilations}, the device has {limits.dilation}", "use no dilation"
    full = op.groups == layer.inputs[0].channels
    if op.groups > 1 and (limits.groups == "none" or (limits.groups == "depthwise" and not full)):
        what = "no groups" if limits.groups == "none" else "depthwise groups only"
        yield f"a convolution in {op.groups} groups, the device has {what}", "use a full convolution"


def _pool(op: Pool, board: Accelerator) -> Iterator[Broken]:
    limits = board.limits
    window = "x".join(str(k) for k in op.window)
    if limits.pool_window is not None and max(op.window) > limits.pool_window:
        yield f"a pooling window of {window}, the device has {limits.pool_window} at most", "pool twice"
    if limits.pool_windows and any(k not in limits.pool_windows for k in op.window) and "pool" not in board.ops.host:
        yield f"a pooling window of {window}, the device has {limits.pool_windows}", "pool otherwise"
    moving = [s for s, places in zip(op.strides, op.shape[:-1], strict=True) if places > 1]  # else it is taken once
    if limits.pool_stride is not None and max(moving, default=1) > limits.pool_stride:
        yield f"pooling strides {op.strides}, the device has {limits.pool_stride} at most", "pool twice"
    if not limits.pool_padding and any(p for pair in op.pads for p in pair):
        yield f"pooling with padding {op.pads}, the device pads none", "pool without padding"
