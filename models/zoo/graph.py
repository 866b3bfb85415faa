"""A NetSpec as a graph: every layer with its name, inputs, shape and widths resolved."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bitsmith.models.zoo.spec import (
    Activation,
    AnyLayer,
    ConvSpec,
    DenseSpec,
    DepthwiseSpec,
    FlattenSpec,
    GlobalAvgPoolSpec,
    MergeSpec,
    NetSpec,
    PoolSpec,
    SeparableSpec,
    WeightedSpec,
)

INPUT = "input"
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Grid:
    """A fixed-point grid: ``bits`` in all, ``integer_bits`` of them left of the point without the sign."""

    bits: int
    integer_bits: int


@dataclass(frozen=True)
class Node:
    """A layer in its place: nothing left to defaults."""

    name: str
    layer: AnyLayer
    inputs: tuple[str, ...]
    shape: Shape  # of its output, without the batch
    activation: Activation
    activation_grid: Grid
    weight_grid: Grid
    bias_grid: Grid
    batchnorm: bool


def nodes(spec: NetSpec) -> tuple[Node, ...]:
    """The layers of a valid spec, in order."""
    return tuple(item for item in _walk(spec) if isinstance(item, Node))


def final_sparsity(node: Node, usual: float) -> float:
    """Share of zeros that training gives a layer with weights: its own, else ``usual``; a single bit has no zero."""
    assert isinstance(node.layer, WeightedSpec)
    if node.layer.sparsity is not None:
        return node.layer.sparsity
    return 0.0 if node.weight_grid.bits == 1 else usual


def quantized_source(by_name: Mapping[str, Node], source: str) -> str:
    """The input, or the nearest node at or before ``source`` with an activation: whose grid a reader of it sees."""
    while source != INPUT and by_name[source].activation == "none":
        source = by_name[source].inputs[0]
    return source


def graph_problems(spec: NetSpec) -> list[str]:
    """Everything that keeps the layers from being one network that ends in logits."""
    if not spec.layers:
        return ["there are no layers; a net needs at least one"]
    items = list(_walk(spec))
    problems = [item for item in items if isinstance(item, str)]
    if problems:
        return problems
    found = [item for item in items if isinstance(item, Node)]
    last = found[-1]
    if len(last.shape) != 1:
        problems.append(f"the last layer {last.name} must give logits on one axis, not {last.shape}; flatten before")
    if last.activation != "none":
        problems.append(f"the last layer {last.name} must give logits: leave its activation {last.activation} out")
    problems += [
        f"layer {node.name} cannot have sparsity: weights of one bit are plus or minus 1; leave it out, or use 2 bits"
        for node in found
        if isinstance(node.layer, WeightedSpec) and node.layer.sparsity and node.weight_grid.bits == 1
    ]
    read = {name for node in found for name in node.inputs}
    problems += [f"layer {node.name} is read by nobody; remove it" for node in found[:-1] if node.name not in read]
    return problems


def _walk(spec: NetSpec) -> Iterator[Node | str]:
    """Each layer as a Node, or what is wrong with it; shapes follow from what came before."""
    shapes: dict[str, Shape] = {INPUT: spec.input.shape}
    previous = INPUT
    for index, layer in enumerate(spec.layers):
        name = layer.name or f"{layer.kind}_{index + 1}"
        if name in shapes:
            yield f"the layer name {name} is used twice; rename one"
        inputs = layer.sources or (previous,)
        unknown = [source for source in inputs if source not in shapes]
        if unknown:
            yield f"layer {name} reads {', '.join(unknown)}, which no earlier layer is called"
            inputs = (previous,) * len(inputs)
        try:
            shape = _shape(layer, [shapes[source] for source in inputs])
        except ValueError as error:
            yield f"layer {name}: {error}"
            return  # shapes behind it would only repeat the complaint
        shapes[name] = shape
        previous = name
        yield _node(spec, layer, name, inputs, shape, last=index == len(spec.layers) - 1)


def _node(spec: NetSpec, layer: AnyLayer, name: str, inputs: tuple[str, ...], shape: Shape, last: bool) -> Node:
    inherits = isinstance(layer, WeightedSpec) or layer.kind == "add"
    default: Activation = spec.activation if inherits and not last else "none"
    weighted = layer if isinstance(layer, WeightedSpec) else WeightedSpec.model_construct()

    def grid(part: str) -> Grid:
        """The layer's own width where it states one, else the net's."""
        own = layer if part == "activation" else weighted
        fields = (f"{part}_bits", f"{part}_integer_bits")
        return Grid(*(getattr(spec if getattr(own, field) is None else own, field) for field in fields))

    return Node(
        name=name,
        layer=layer,
        inputs=inputs,
        shape=shape,
        activation=layer.activation or default,
        activation_grid=grid("activation"),
        weight_grid=grid("weight"),
        bias_grid=grid("bias"),
        batchnorm=isinstance(layer, WeightedSpec)
        and not last
        and (spec.batchnorm if layer.batchnorm is None else layer.batchnorm),
    )


def _shape(layer: AnyLayer, shapes: list[Shape]) -> Shape:
    """Shape of the layer's output; ValueError if its inputs do not suit it."""
    shape = shapes[0]
    if isinstance(layer, MergeSpec):
        return _merged(layer, shapes)
    if len(shapes) > 1:
        raise ValueError(f"a {layer.kind} reads one layer, not {len(shapes)}")
    if isinstance(layer, FlattenSpec):
        return (math.prod(shape),)
    if isinstance(layer, DenseSpec):
        if len(shape) != 1:
            raise ValueError(f"a dense layer reads one axis, not {shape}; put a flatten before it")
        return (layer.units,)
    if isinstance(layer, GlobalAvgPoolSpec):
        if len(shape) < 2:
            raise ValueError(f"there is nothing to average over in {shape}")
        return shape[-1:]
    return _windowed(layer, shape)


def _merged(layer: MergeSpec, shapes: list[Shape]) -> Shape:
    if layer.kind == "add":
        if len(set(shapes)) > 1:
            raise ValueError(f"branches to be added must have one shape, not {shapes}")
        return shapes[0]
    if len({shape[:-1] for shape in shapes}) > 1:
        raise ValueError(f"branches to be joined must agree on all axes but the last: {shapes}")
    return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))


def _windowed(layer: ConvSpec | DepthwiseSpec | SeparableSpec | PoolSpec, shape: Shape) -> Shape:
    pool = isinstance(layer, PoolSpec)
    window = layer.window if isinstance(layer, PoolSpec) else layer.kernel
    strides = layer.strides or (window if pool else (1,) * len(window))
    if len(shape) != len(window) + 1 or len(strides) != len(window):
        raise ValueError(f"a window {window} with strides {strides} does not suit {shape}")
    if isinstance(layer, DepthwiseSpec | SeparableSpec) and len(window) != 2:
        raise ValueError(f"a {layer.kind} convolution has two spatial axes, not {len(window)}")
    same = not isinstance(layer, PoolSpec) and layer.padding == "same"
    places = [
        -(-size // step) if same else (size - width) // step + 1
        for size, width, step in zip(shape, window, strides, strict=False)
    ]
    if min(places) < 1:
        raise ValueError(f"the window {window} is larger than its input {shape}")
    return (*places, layer.filters if isinstance(layer, ConvSpec | SeparableSpec) else shape[-1])
