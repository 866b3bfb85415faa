"""Modular blocks: a task's layers with weights, wider, deeper, with other kernels, with skips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitsmith.models.zoo.graph import Node, nodes
from bitsmith.models.zoo.spec import (
    AnyLayer,
    ConvSpec,
    DenseSpec,
    DepthwiseSpec,
    MergeSpec,
    NetSpec,
    SeparableSpec,
    WeightedSpec,
)

Choices = Mapping[str, Any]


def blocks(spec: NetSpec) -> tuple[Node, ...]:
    """The layers with weights, but for the last, whose outputs are the logits."""
    return tuple(node for node in nodes(spec)[:-1] if isinstance(node.layer, WeightedSpec))


def has_kernel(node: Node) -> bool:
    """Whether another kernel keeps the shape: a padded convolution."""
    return isinstance(node.layer, ConvSpec | DepthwiseSpec | SeparableSpec) and node.layer.padding == "same"


def can_grow(spec: NetSpec, node: Node) -> bool:
    """Whether the layer can stand several times in a row, or be left out: nobody is called by name, and no strides."""
    layer = node.layer
    named = any(node.name in other.sources for other in spec.layers)
    plain = isinstance(layer, DenseSpec) or (has_kernel(node) and set(getattr(layer, "strides", None) or (1,)) == {1})
    return plain and not named and not layer.sources


def width_groups(spec: NetSpec) -> tuple[tuple[str, ...], ...]:
    """Names of blocks whose widths go together, since their outputs are added; the first names the group.

    A depthwise layer has the width of what it reads, and so joins its reader to its source.
    """
    group = {node.name: node.name for node in nodes(spec)}

    def root(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    for node in nodes(spec):
        follows = isinstance(node.layer, MergeSpec) and node.layer.kind == "add"
        follows |= not isinstance(node.layer, WeightedSpec | MergeSpec) or isinstance(node.layer, DepthwiseSpec)
        for source in node.inputs if follows else ():
            if source in group:
                group[root(node.name)] = root(source)
    sized = [node.name for node in blocks(spec) if isinstance(node.layer, DenseSpec | ConvSpec | SeparableSpec)]
    last = root(nodes(spec)[-1].name)
    found: dict[str, list[str]] = {}
    for name in sized:
        if root(name) != last:
            found.setdefault(root(name), []).append(name)
    return tuple(tuple(names) for names in found.values())


def reshaped(spec: NetSpec, choices: Choices) -> NetSpec:
    """The spec with its blocks as ``choices`` say (``hidden.width``, ``.depth``, ``.kernel``, ``.skip``)."""
    if not any(key.rpartition(".")[2] in ("width", "depth", "kernel", "skip") for key in choices):
        return spec
    widths = {
        name: choices[f"{group[0]}.width"]
        for group in width_groups(spec)
        if f"{group[0]}.width" in choices
        for name in group
    }
    layers: list[AnyLayer] = []
    renamed: dict[str, str] = {}
    shapes = {node.name: node for node in nodes(spec)}
    names = [node.name for node in nodes(spec)]
    for name, layer in zip(names, spec.layers, strict=True):
        own: AnyLayer = layer.model_copy(
            update={"name": name, "sources": tuple(renamed.get(source, source) for source in layer.sources)}
        )
        own = _sized(own, widths.get(name, 1.0), choices.get(f"{name}.kernel"))
        made, last = _block(own, int(choices.get(f"{name}.depth", 1)), bool(choices.get(f"{name}.skip")), shapes[name])
        layers += made
        if last != name:
            renamed[name] = last
    return NetSpec.model_validate({**spec.model_dump(), "layers": [layer.model_dump() for layer in layers]})


def _sized(layer: AnyLayer, width: float, kernel: int | None) -> AnyLayer:
    changes: dict[str, Any] = {}
    for field in ("units", "filters"):
        if width != 1.0 and hasattr(layer, field):
            changes[field] = max(1, round(getattr(layer, field) * width))
    if kernel is not None and isinstance(layer, ConvSpec | DepthwiseSpec | SeparableSpec):
        changes["kernel"] = (kernel,) * len(layer.kernel)
    return layer.model_copy(update=changes)


def _block(layer: AnyLayer, depth: int, skip: bool, node: Node) -> tuple[list[AnyLayer], str]:
    """The layer ``depth`` times in a row, the last with a skip around it; and the name of what comes out."""
    assert layer.name is not None
    if depth == 0:
        return [], layer.name  # the layer before is read in its place, as nobody calls this one by name
    made = [layer, *(layer.model_copy(update={"name": f"{layer.name}_x{k}"}) for k in range(2, depth + 1))]
    if not skip or depth < 2:  # the first of a block may change the shape
        return made, str(made[-1].name)
    inner = made[-1].model_copy(update={"activation": "linear"})
    joined = MergeSpec(
        kind="add",
        name=f"{layer.name}_skip",
        sources=(str(made[-2].name), str(inner.name)),
        activation=node.activation,
        activation_bits=layer.activation_bits,
        activation_integer_bits=layer.activation_integer_bits,
    )
    return [*made[:-1], inner, joined], str(joined.name)
