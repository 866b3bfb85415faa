"""A QNet and the choices for its project as a design of the hls4ml model: one layer per op."""

from __future__ import annotations

import math
from dataclasses import asdict

from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.hls4ml.layers import HlsDesign, HlsLayer
from bitsmith.hls.estimate.hls4ml.weights import legal_reuse, products_of
from bitsmith.models.ir import Add, ArgMax, Conv, Dense, Lut, Op, Pad, Pool, QNet, Requant, Thresholds, Upsample
from bitsmith.models.ir.types import QuantType


def design_of_net(net: QNet, hw: HwConfig) -> HlsDesign:
    """The project that the hls4ml backend writes for ``net``, as the model sees it; layers in the order of the ops."""
    return HlsDesign(
        name=net.name,
        layers=tuple(_layer(net, op, hw) for op in net.ops),
        stream=hw.io == "io_stream",
        clock_ns=hw.clock_ns,
        vitis=hw.hls_tool != "vivado",
        plain=True,  # the accumulators of our projects hold every sum
        series7=hw.board.device.family == "xc7",
    )


def _layer(net: QNet, op: Op, hw: HwConfig) -> HlsLayer:
    if isinstance(op, Dense | Conv):
        return _matrix(net, op, hw)
    source = net[op.inputs[0]] if op.inputs else op
    channels, places = _split(op.shape)
    from_channels, from_places = _split(source.shape)
    kernel = op.window if isinstance(op, Pool) else ()
    many = _kind(op) in ("pool", "pad")
    return HlsLayer(
        kind=_kind(op),
        name=op.name,
        n_in=math.prod(source.shape),
        n_out=channels,
        places_in=from_places,
        places_out=places,
        kernel_h=kernel[0] if len(kernel) > 1 else 1,
        kernel_w=kernel[-1] if kernel else 1,
        channels=from_channels if many else channels,
        in_bits=source.type.bits,
        out_bits=op.type.bits,
        weight_bits=_range(op.mult.min(), op.mult.max()) if isinstance(op, Requant) else 0,
    )


def _kind(op: Op) -> str:
    if isinstance(op, Requant):
        return "activation" if bool((op.mult == 1).all()) else "normalize"
    kinds = (
        (Thresholds | Lut | ArgMax, "activation"),
        (Pool, "pool"),
        (Pad, "pad"),
        (Add, "merge"),
        (Upsample, "resize"),
    )
    return next((kind for types, kind in kinds if isinstance(op, types)), "wiring")


def _range(low: int, high: int) -> int:
    return QuantType.for_range(int(low), int(high)).bits


def _split(shape: tuple[int, ...]) -> tuple[int, int]:
    """Channels and places of a shape, channels last."""
    return shape[-1], math.prod(shape[:-1])


def _matrix(net: QNet, op: Dense | Conv, hw: HwConfig) -> HlsLayer:
    source = net[op.inputs[0]]
    n_in, n_out = math.prod(op.weight.shape[:-1]), op.weight.shape[-1]
    kernel = op.kernel if isinstance(op, Conv) else ()
    pads = op.pads if isinstance(op, Conv) else ((0, 0),) * len(source.shape[:-1])
    padded = math.prod(size + sum(pad) for size, pad in zip(source.shape[:-1], pads, strict=True))
    folds = hw.strategy == "resource"
    return HlsLayer(
        kind="conv" if isinstance(op, Conv) or len(op.shape) > 1 else "dense",
        name=op.name,
        n_in=n_in,
        n_out=n_out,
        places_in=padded,
        places_out=math.prod(op.shape[:-1]),
        kernel_h=kernel[0] if len(kernel) > 1 else 1,
        kernel_w=kernel[-1] if kernel else 1,
        channels=_beat(net, source) if isinstance(op, Dense) and len(op.shape) == 1 else source.shape[-1],
        in_bits=source.type.bits,
        out_bits=op.type.bits,
        acc_bits=op.type.bits,
        weight_bits=op.weight_type.bits,
        **asdict(products_of(op.weight, source.type.bits)),
        reuse=legal_reuse(n_in, n_out, hw.reuse) if folds else min(hw.reuse, n_in * n_out),
        strategy=hw.strategy,
    )


def _beat(net: QNet, op: Op) -> int:
    """Values that come at once on the stream into a dense layer: flattening leaves them as they came."""
    while op.kind == "reshape":
        op = net[op.inputs[0]]
    return op.shape[-1]
