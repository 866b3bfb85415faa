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
        part=tool.part_for(hw.board.device.part), clock_period=round(hw.clock_ns, 3), io_type=hw.io, **tool.options
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
        "LayerName": {layer.name: _layer_config(layer, hw) for layer in layers},
    }
    return config


def _layer_config(layer: HlsLayer, hw: HwConfig) -> dict[str, Any]:
    config: dict[str, Any] = {"Precision": layer.precision(), "Trace": True}
    if layer.kind.startswith("Depthwise") and hw.io == "io_parallel":
        config["Strategy"] = "Latency"  # all that hls4ml has for it
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
        with _mended(model.config.backend.writer, tool):
            model.write()
        _make_portable(folder, model.config.get_config_value("Stamp"))
    return tuple(node.name for node in model.get_layers() if node.get_attr("function_cpp") and node.get_attr("trace"))


@contextlib.contextmanager
def _mended(writer: Any, tool: HlsTool) -> Iterator[None]:
    """hls4ml's writer without what it must not do here.

    Its ``write_yml`` imports keras, and with it TensorFlow, and stores this machine's paths.  For Libero, 1.3.0 as
    released lacks the script of its emulation and fails after all other build files are written.
    """
    write_build_script = writer.write_build_script

    def without_emulation(model: Any) -> None:
        with contextlib.suppress(FileNotFoundError):
            write_build_script(model)
        folder = Path(model.config.get_output_dir())
        for name in ("build_lib.sh", "Makefile.compile"):  # the latter holds this machine's paths
            (folder / name).unlink(missing_ok=True)

    writer.write_yml = lambda model: None
    if tool.name == "libero":
        writer.write_build_script = without_emulation
    try:
        yield
    finally:
        del writer.write_yml
        if tool.name == "libero":
            del writer.write_build_script


def _make_portable(folder: Path, stamp: str) -> None:
    """hls4ml stamps its build scripts at random and writes the folder's own path into some files."""
    for path in folder.iterdir():
        if path.is_file():
            text = path.read_text()
            steady = text.replace(stamp, "emulation").replace(f"{folder.resolve()}/firmware", ".")
            if steady != text:
                path.write_text(steady)


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
