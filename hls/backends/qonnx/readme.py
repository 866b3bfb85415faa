"""The README of a project: what the graph takes and gives, and how other tools read it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from bitsmith.hls.backends.qonnx.encoder import channels_first, datatype
from bitsmith.models.ir import QNet, content_hash
from bitsmith.models.ir.ops import Add, Conv, Dense, Requant
from bitsmith.models.ir.text import op_details
from bitsmith.models.ir.types import QuantType

TEMPLATES = Path(__file__).parent / "templates"
REAL_SCALE_BITS = 20
"""Fraction bits for a scale that is no power of two: its products may be rounded then."""


def scale_text(kind: QuantType) -> str:
    """What one step stands for, for people."""
    if kind.is_per_channel:
        return f"{len(kind.scales)} scales, {min(kind.scales):.6g} to {max(kind.scales):.6g}"
    return f"{kind.scales[0]:.9g}"


def hls4ml_precision(net: QNet) -> str:
    """A default precision for hls4ml's ONNX front end that holds every constant and the input of ``net``.

    hls4ml gives it to the input and to factors and addends between layers, whatever their Quant nodes say.
    """
    largest, fraction = 1.0, 1
    for op in net.ops:
        if isinstance(op, Requant):
            largest = max(largest, *(float(np.abs(v).max()) for v in (op.mult, op.add)))
            fraction = max(fraction, op.shift)
        elif isinstance(op, Add):
            largest = max(largest, *(abs(f) for f in op.factors))
        elif isinstance(op, Dense | Conv):
            largest = max(largest, float(np.abs(op.bias).max()))
    largest = max(largest, 1.0 / min(net.input.type.scales))  # hls4ml multiplies by it where the graph divides
    for kind in (net.input.type, net.output.type):
        largest = max(largest, max(kind.scales) * max(-kind.min, kind.max))
        exact = kind.is_power_of_two and not kind.is_per_channel
        fraction = max(fraction, kind.fraction_bits if exact else REAL_SCALE_BITS)
    integer = 2 + math.floor(math.log2(largest))
    return f"fixed<{integer + fraction},{integer}>"


def write_readme(folder: Path, net: QNet) -> None:
    """``README.md`` of the project in ``folder``."""
    import jinja2

    rows = [
        {
            "name": op.name,
            "kind": op.kind,
            "shape": " x ".join(map(str, op.shape)),
            "type": datatype(op.type),
            "scale": scale_text(op.type),
            "details": op_details(op),
        }
        for op in net.ops
    ]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    text = environment.get_template("README.md.j2").render(
        net=net,
        sha256=content_hash(net),
        rows=rows,
        channels_first=channels_first(net),
        precision=hls4ml_precision(net),
    )
    (folder / "README.md").write_text(text + "\n")
