"""Builds hls4ml's model graph from our layers, and makes sure that hls4ml left it as it was stated."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from bitsmith.hls.backends.hls4ml.extension import register
from bitsmith.hls.backends.hls4ml.layers import HlsLayer, fixed
from bitsmith.hls.backends.hls4ml.tools import HlsTool
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir.errors import ToolError

INSTALL = "pip install 'bitsmith[hls4ml]'"


def model_config(
    project: str, layers: tuple[HlsLayer, ...], hw: HwConfig, tool: HlsTool, folder: Path
) -> dict[str, Any]:
    """hls4ml's configuration: every type of every layer, nothing left to infer."""
    from hls4ml.backends import get_backend

    config: dict[str, Any] = get_backend(tool.backend).create_initial_config(
        part=tool.part_for(hw.board.device.part), clock_period=round(hw.clock_ns, 3), io_type=hw.io
    )
    config["Backend"] = tool.backend
    config["ProjectName"] = project
    config["OutputDir"] = str(folder)
    config["TraceOutput"] = True  # recorded by the emulation only when asked; not there in synthesis
    config["HLSConfig"] = {
        "Model": {
            "Precision": {"default": "fixed<16,16>"},  # wanted by hls4ml; no layer may use it
            "ReuseFactor": hw.reuse,
            "Strategy": hw.strategy.capitalize(),
            "ConvImplementation": tool.convolution,
            "BitExact": False,
        },
        "LayerName": {layer.name: {"Precision": layer.precision(), "Trace": True} for layer in layers},
    }
    return config


def write_graph(
    project: str, layers: tuple[HlsLayer, ...], hw: HwConfig, tool: HlsTool, folder: Path
) -> tuple[str, ...]:
    """Let hls4ml write the project into ``folder``; its chatter goes to ``hls4ml.log`` there.

    Returns the names of the layers that the emulation can record.  ToolError if hls4ml is missing or fails.
    """
    try:
        from hls4ml.model.graph import ModelGraph
    except ImportError as error:
        raise ToolError(f"hls4ml cannot be imported ({error}); install it with: {INSTALL}") from error
    register(tool)
    with (folder / "hls4ml.log").open("w") as log, _quiet(log):
        model = ModelGraph.from_layer_list(
            model_config(project, layers, hw, tool, folder), [layer.as_dict() for layer in layers]
        )
        _assert_types(model, layers)
        writer = model.config.backend.writer
        # hls4ml's own write_yml imports keras, and with it TensorFlow, and stores this machine's paths
        writer.write_yml = lambda model: None
        try:
            model.write()
        finally:
            del writer.write_yml
    return tuple(node.name for node in model.get_layers() if node.get_attr("function_cpp") and node.get_attr("trace"))


@contextlib.contextmanager
def _quiet(log: TextIO) -> Iterator[None]:
    """hls4ml reports with ``print`` and warnings; standard output belongs to our callers."""
    with contextlib.redirect_stdout(log), warnings.catch_warnings():
        warnings.showwarning = lambda message, *_args, **_kw: print(f"warning: {message}", file=log)
        warnings.simplefilter("always")
        yield


def _assert_types(model: Any, layers: tuple[HlsLayer, ...]) -> None:
    """hls4ml's passes rewrite graphs and types; ours must come out as they went in."""
    from hls4ml.backends.fpga.fpga_backend import FPGABackend

    stated = {layer.name: layer for layer in layers}
    for node in model.get_layers():
        layer = stated.get(node.name)
        if layer is None:
            continue  # a copy or a repacking that hls4ml put in
        wanted = {"result": fixed(layer.type), **layer.precision()}
        found = {"result": node.get_output_variable().type.precision}
        found |= {name: weight.type.precision for name, weight in node.weights.items()}
        if "accum" in wanted:
            found["accum"] = node.get_attr("accum_t").precision
        for name, precision in found.items():
            expected = FPGABackend.convert_precision_string(wanted[name])
            same = (precision.width, precision.integer, precision.signed) == (
                expected.width,
                expected.integer,
                expected.signed,
            )
            if name == "accum" and layer.kind.startswith("MaxPooling"):  # Catapult widens it, which loses nothing
                same = precision.integer >= expected.integer and precision.fractional >= 0
            assert same, f"hls4ml changed {node.name}.{name}: {wanted[name]} became {precision}"
