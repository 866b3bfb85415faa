"""Which widths of a task are free, and what they cost: the relaxation that a sweep begins with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bitsmith.flows.config import TaskConfig
from bitsmith.flows.search.space import Parameter
from bitsmith.models.train.relax import Free, Work
from bitsmith.models.zoo.graph import INPUT, Node, nodes, quantized_source
from bitsmith.models.zoo.spec import DepthwiseSpec, SeparableSpec, WeightedSpec

KINDS = {"weight_bits": "weight", "activation_bits": "activation"}
LEAST = {"weight": 2.0, "activation": 1.0}
"""A single signed bit is plus or minus one: no step leads there."""


@dataclass(frozen=True)
class Relaxation:
    """What :func:`bitsmith.models.train.relax.relax` is asked for."""

    epochs: int
    free: tuple[tuple[str, Free], ...]
    work: tuple[Work, ...]


def relaxation(task: TaskConfig, parameters: Sequence[Parameter], epochs: int) -> Relaxation | None:
    """The widths among ``parameters`` set free; None if there are none, or for a framework other than QKeras."""
    if task.train.framework != "qkeras" or task.net.weight_scales != "fixed":
        return None
    found: list[tuple[str, Free]] = []
    for p in parameters:
        layer, _, name = p.name.rpartition(".")
        if name in KINDS:
            kind = KINDS[name]
            layers = (layer,) if layer else _all_layers(task, kind)
            values = [float(v) for v in p.values]
            found.append((p.name, Free(layers, kind, max(LEAST[kind], min(values)), max(values))))
    if not found:
        return None
    return Relaxation(epochs, tuple(found), tuple(_work(task, dict(found))))


def _all_layers(task: TaskConfig, kind: str) -> tuple[str, ...]:
    """Of a choice for the whole net."""
    return tuple(
        node.name
        for node in nodes(task.net)
        if (isinstance(node.layer, WeightedSpec) if kind == "weight" else node.activation in ("relu", "linear"))
    )


def _work(task: TaskConfig, free: dict[str, Free]) -> list[Work]:
    """The multiplications of every layer with weights (a separable one counted as its two parts at once)."""
    by_name = {node.name: node for node in nodes(task.net)}

    def width(layer: str, kind: str) -> str | None:
        return next((name for name, f in free.items() if f.kind == kind and layer in f.layers), None)

    found = []
    for node in nodes(task.net):
        if not isinstance(node.layer, WeightedSpec):
            continue
        source = node.inputs[0]
        shape = task.net.input.shape if source == INPUT else by_name[source].shape
        source = quantized_source(by_name, source)
        bits = task.net.input.bits if source == INPUT else by_name[source].activation_grid.bits
        value = (width(source, "activation") if source != INPUT else None) or float(bits)
        weight = width(node.name, "weight") or float(node.weight_grid.bits)
        found.append(Work(float(_multiplications(node, shape)), weight, value))
    return found


def _multiplications(node: Node, shape: tuple[int, ...]) -> int:
    places = math.prod(node.shape[:-1])
    taps = math.prod(getattr(node.layer, "kernel", (1,)))
    if isinstance(node.layer, DepthwiseSpec):
        return places * taps * node.shape[-1]
    if isinstance(node.layer, SeparableSpec):
        return places * (taps * shape[-1] + shape[-1] * node.shape[-1])
    return places * taps * shape[-1] * node.shape[-1]
