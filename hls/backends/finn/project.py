"""The files of a FINN build folder beside the graph: configuration, folding, vectors, script, README."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from bitsmith.hls.backends.finn.boards import target_of
from bitsmith.hls.backends.finn.folding import Folding
from bitsmith.hls.backends.finn.graph import finn_type
from bitsmith.hls.backends.finn.layers import Layer
from bitsmith.hls.backends.finn.units import Enlarge, Unit
from bitsmith.hls.config import HwConfig
from bitsmith.hls.tools import finn
from bitsmith.models.ir import QNet, content_hash
from bitsmith.models.ir.types import IntArray, QuantType

HERE = Path(__file__).parent
STEPS = "bitsmith_steps.py"
REQUANT_BITS = 64
"""FINN turns wide activations into a multiplication in float32, which is not exact: this width is never met."""


def write_vectors(folder: Path, units: tuple[Unit, ...], x: IntArray, y: IntArray) -> None:
    """``input.npy`` and ``expected_output.npy`` for FINN's own verification, in the shapes of the graph."""
    for name, values, unit in (("input", x, units[0]), ("expected_output", y, units[-1])):
        np.save(folder / f"{name}.npy", values.reshape(-1, *unit.shape[1:]).astype(np.float32))


def write_build(
    folder: Path, net: QNet, hw: HwConfig, units: tuple[Unit, ...], layers: tuple[Layer, ...], folding: Folding
) -> None:
    """All that FINN's builder takes beside the graph and the vectors."""
    own_steps = any(isinstance(u, Enlarge) for u in units)  # FINN's default list has no step for upsampling
    _write_json(folder / "folding.json", folding.as_json())
    _write_json(folder / "specialize.json", {"Defaults": {}, **_styles(layers)})
    (folder / STEPS).unlink(missing_ok=True)
    values: dict[str, Any] = {
        "net": net,
        "hw": hw,
        "target": target_of(hw.board),
        "own_steps": own_steps,
        "requant_bits": REQUANT_BITS,
        "folding": folding,
        "area": folding.area,
        "layers": layers,
        "settings": folding.as_json(),
        "sha256": content_hash(net),
        "ports": _ports(net, units),
        "convert_steps": finn.CONVERT_STEPS,
    }
    for name in (finn.CONFIG, "build.py", "README.md", *([STEPS] if own_steps else [])):
        (folder / name).write_text(_templates().get_template(f"{name}.j2").render(**values))


def _styles(layers: tuple[Layer, ...]) -> dict[str, dict[str, str]]:
    """FINN's choice between HLS and RTL for every product, said beforehand so that names are settled."""
    products = [layer for layer in layers if layer.kind.startswith("MVAU")]
    return {f"MVAU_{i}": {"preferred_impl_style": p.kind.split("_")[1]} for i, p in enumerate(products)}


def _ports(net: QNet, units: tuple[Unit, ...]) -> list[dict[str, Any]]:
    return [
        {"what": what, "shape": unit.shape, "type": finn_type(unit.lo, unit.hi), "scale": scale_text(op.type)}
        for what, op, unit in (("input", net.input, units[0]), ("output", net.output, units[-1]))
    ]


def scale_text(kind: QuantType) -> str:
    """What one step stands for, for people."""
    if kind.is_per_channel:
        return "one scale per channel: " + ", ".join(f"{s:.9g}" for s in kind.scales)
    return f"{kind.scales[0]!r}"


def _write_json(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=1) + "\n")


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(HERE / "templates")
    return jinja2.Environment(
        loader=loader,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
