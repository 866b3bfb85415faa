"""The model: layers in, figures per layer and per design out, for csynth and for Vivado's own synthesis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bitsmith.hls.estimate.hls4ml import stages
from bitsmith.hls.estimate.hls4ml.area import folded, modes, product_area
from bitsmith.hls.estimate.hls4ml.coefficients import Coefficients
from bitsmith.hls.estimate.hls4ml.cycles import design_cycles, layer_cycles
from bitsmith.hls.estimate.hls4ml.layers import KINDS, Columns, Floats

AREAS = ("lut", "ff", "dsp", "bram")
TARGETS = (*AREAS, "latency", "ii")

COMPONENTS = (
    "dense_latency", "dense_shared", "dense_constant", "dense_resource",
    "conv_latency", "conv_shared", "conv_constant", "conv_resource", "conv_parallel",
    "activation", "softmax", "pool", "global_pool", "pad", "normalize", "merge", "resize", "clone", "wiring",
)  # fmt: skip
"""What one factor of the calibration scales, per tool."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """Figures of designs: ``layers[target]`` of shape (layers,), ``designs[target]`` of shape (designs,).

    The areas of a design's layers add up to its own.  ``bram`` in 18-kbit halves, ``latency`` and ``ii`` in cycles.
    """

    layers: dict[str, Floats]
    designs: dict[str, Floats]


def component_of(c: Columns) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Index into COMPONENTS of each layer."""
    found = np.zeros(c.kind.size, dtype=np.int64)
    for i, kind in enumerate(KINDS):
        if kind in COMPONENTS:
            found[c.kind == i] = COMPONENTS.index(kind)
    unfolded = modes(c)
    for kind in ("dense", "conv"):
        rows = c.is_kind(kind)
        for mode, which in (*unfolded.items(), ("resource", folded(c))):
            found[rows & which] = COMPONENTS.index(f"{kind}_{mode}")
    found[c.is_kind("conv") & ~c.of_layers(c.stream)] = COMPONENTS.index("conv_parallel")
    return found


def factors_of(c: Columns, k: Coefficients, target: str) -> Floats:
    """The calibration's factor of each layer for ``target``, (layers,)."""
    known = k.factors.get(target, {})
    table = np.array([[known.get(f"{name}.{tool}", 1.0) for tool in ("vivado", "vitis")] for name in COMPONENTS])
    return np.asarray(table[component_of(c), c.of_layers(c.vitis).astype(np.int64)], dtype=np.float64)


def layer_areas(c: Columns, k: Coefficients, vivado: bool = False) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Analytic areas of each layer before any factor: of its module, and of what stands around it (FIFO, registers)."""
    product = product_area(c, k, vivado)
    function = stages.function_stage(c)
    inner = function, stages.window_stage(c), stages.gather_stage(c), stages.turn_stage(c)
    module = {
        "lut": product.lut + sum(part.lut for part in inner),
        "ff": product.ff + sum(part.ff for part in inner),
        "dsp": product.dsp + function.dsp,
        "bram": stages.weight_blocks(c, vivado) + function.bram,
    }
    parts = stages.fifo_stage(c, vivado), stages.port_stage(c), stages.axi_stage(c)
    around = {name: np.sum([getattr(part, name) for part in parts], axis=0) for name in AREAS}
    return module, around


def predict(c: Columns, k: Coefficients, vivado: bool = False, worst: bool = True) -> Prediction:
    """Figures of every layer and every design: csynth's, or those of Vivado's synthesis with ``vivado``.

    Cycles are csynth's worst case, or with ``worst`` false those of a run: see ``cycles.stream_cycles``.
    """
    module, around = layer_areas(c, k, vivado)
    layers = {}
    for name in AREAS:
        scale = k.vivado.get(name, 1.0) if vivado else 1.0
        layers[name] = (module[name] * factors_of(c, k, name) + around[name]) * scale
    cycles = layer_cycles(c, worst)
    layers["latency"] = np.where(c.of_layers(c.stream), cycles.stream, cycles.latency)
    latency, interval = design_cycles(c, cycles)
    designs = {name: c.sums(layers[name]) for name in AREAS} | {"latency": latency, "ii": interval}
    for name in ("dsp", "bram"):  # counted, not measured
        designs[name] = np.round(designs[name])
    return Prediction(layers, designs)
