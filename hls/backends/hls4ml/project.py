"""The files of a project beside hls4ml's own: golden vectors and the README."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bitsmith.hls.backends.hls4ml.extension import TEMPLATES
from bitsmith.hls.backends.hls4ml.layers import HlsLayer, project_name
from bitsmith.hls.backends.hls4ml.tools import HlsTool
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir import QNet, content_hash
from bitsmith.models.ir.types import IntArray, QuantType


def write_vectors(folder: Path, x: IntArray, y: IntArray) -> None:
    """Inputs and expected outputs for hls4ml's test bench: one row per line, integers apart by spaces."""
    (folder / "tb_data").mkdir(exist_ok=True)
    for name, values in (("tb_input_features", x), ("tb_output_predictions", y)):
        np.savetxt(folder / "tb_data" / f"{name}.dat", values.reshape(len(values), -1), fmt="%d")


def scale_text(kind: QuantType) -> str:
    """What one step stands for, for people."""
    if kind.is_per_channel:
        return "one scale per channel: " + ", ".join(f"{s:.9g}" for s in kind.scales)
    return f"{kind.scales[0]!r}" + (f" (2^{-kind.fraction_bits})" if kind.is_power_of_two else "")


def write_readme(
    folder: Path, net: QNet, hw: HwConfig, tool: HlsTool, layers: tuple[HlsLayer, ...], version: str
) -> None:
    """``README.md`` of the project: ports, types, scales, how to go on in the vendor's tool."""
    import jinja2

    name, part = project_name(net), tool.part_for(hw.board.device.part)
    ports = [
        {
            "what": what,
            "shape": " x ".join(map(str, op.shape)),
            "type": tool.cpp_type(layer.type),
            "bits": layer.type.bits,
            "scale": scale_text(op.type),
        }
        for what, op, layer in (("input", net.input, layers[0]), ("output", net.output, layers[-1]))
    ]
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined)
    text = environment.get_template("README.md.j2").render(
        net=net,
        sha256=content_hash(net),
        project=name,
        tool=tool,
        part=part,
        foreign=part != hw.board.device.part,
        hw=hw,
        ports=ports,
        layers=layers,
        version=version,
        run=tool.run.format(project=name),
        cpp_type=tool.cpp_type,
    )
    (folder / "README.md").write_text(text)
