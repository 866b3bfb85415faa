"""What is to be quantized in a float graph: which values, which of them share a scale, which layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bitsmith.models.ir import UnsupportedError
from bitsmith.models.lower.onnx.functions import BENT, ELEMENTWISE, LINEAR
from bitsmith.models.lower.onnx.graph import QUANTIZERS, Array, Graph, Node
from bitsmith.models.lower.onnx.layers import HANDLERS
from bitsmith.models.lower.onnx.run import fold, for_batch, runner
from bitsmith.models.lower.onnx.shapes import SHAPES
from bitsmith.models.lower.qonnx import remedy

WEIGHTED = ("Conv", "Gemm", "MatMul")
KEEPS_GRID = (
    *("MaxPool", "GlobalMaxPool", "ReduceMax", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze"),
    *("Identity", "Dropout", "Pad", "Resize", "Upsample", "Concat", "Cast"),
)
SUMS = ("Add", "Sub", "Sum")
STRAIGHT = (*LINEAR, "Sum", "Relu", "Clip", "Max", "Min")
"""Elementwise ops that end on a grid again."""
AT_THE_END = ("Softmax", "LogSoftmax", "Sigmoid", "ArgMax", "TopK")


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer with weights, its bias and BatchNorm taken in."""

    node: Node
    weight: Array  # (out, in / groups, *kernel), or (in, out) for a matrix
    bias: Array  # (out,)
    output: str  # the value behind what was taken in

    @property
    def out_axis(self) -> int:
        """The weight's axis of output channels."""
        return 0 if self.node.op == "Conv" else self.weight.ndim - 1


@dataclass(frozen=True, eq=False)
class Plan:
    """``steps`` are the nodes and layers in order; ``marked`` the values that get a Quant, each with its group."""

    steps: tuple[Node | Layer, ...]
    constants: Mapping[str, Array]
    marked: Mapping[str, str]
    last: frozenset[str]  # outputs of layers whose scale must be one for all channels


def plan(graph: Graph, name: str) -> Plan:
    """The plan for ``graph``; UnsupportedError listing what a net has no op for, or if it is quantized already."""
    quantized = [n.name for n in graph.nodes if n.op in (*QUANTIZERS, "QuantizeLinear")]
    if quantized:
        raise UnsupportedError(f"model {name} is quantized already ({quantized[0]}); import it without --bits")
    constants = dict(graph.constants)
    nodes = _fold(graph, constants)
    unknown = [n for n in nodes if n.op not in HANDLERS and n.op not in SHAPES]
    if unknown:
        lines = "".join(f"\n  {n.name} ({n.op}): {remedy(n.op)}" for n in unknown)
        raise UnsupportedError(f"model {name} cannot be quantized, a net has no op for:{lines}")
    steps = _layers(nodes, constants, graph.output)
    marked = _marked(steps, constants, graph)
    return Plan(steps, constants, marked, _last(steps, graph.output))


def _fold(graph: Graph, constants: dict[str, Array]) -> list[Node]:
    """The nodes that compute with the input; the others, and all that depends on its shape alone, become constants."""
    kept = []
    values: dict[str, Array] = {}  # of one row, whose shapes count
    if any(node.op == "Shape" for node in graph.nodes):
        values[graph.input] = np.zeros((1, *graph.input_shape), np.float32)
    for node in graph.nodes:
        known = node.inputs and all(i in constants or not i for i in node.inputs)
        if known or (node.op == "Shape" and node.inputs[0] in values):
            constants[node.outputs[0]] = fold(graph, node, [(constants | values).get(i) for i in node.inputs])[0]
            continue
        kept.append(node)
        if all(i in constants or i in values or not i for i in node.inputs):
            args = for_batch(graph, node.op, [(constants | values).get(i) for i in node.inputs], 1)
            values[node.outputs[-1 if node.op == "TopK" else 0]] = runner(graph, node)(*args)
    return kept


def _layers(nodes: list[Node], constants: Mapping[str, Array], end: str) -> tuple[Node | Layer, ...]:
    """Layers with the bias and the BatchNorm that alone read them taken in."""
    readers: dict[str, list[Node]] = {}
    for node in nodes:
        for i in node.inputs:
            readers.setdefault(i, []).append(node)
    taken: set[str] = set()
    steps: list[Node | Layer] = []
    for node in nodes:
        if node.name in taken:
            continue
        if node.op not in WEIGHTED or node.inputs[1] not in constants:
            steps.append(node)
            continue
        layer = _layer(node, constants)
        while layer.output != end and len(readers.get(layer.output, [])) == 1:
            wider = _taken_in(layer, readers[layer.output][0], constants)
            if wider is None:
                break
            taken.add(readers[layer.output][0].name)
            layer = wider
        steps.append(layer)
    return tuple(steps)


def _layer(node: Node, constants: Mapping[str, Array]) -> Layer:
    weight = constants[node.inputs[1]].astype(np.float64)
    bias = constants[node.inputs[2]].reshape(-1) if len(node.inputs) > 2 and node.inputs[2] else np.zeros(1)
    if node.op == "Gemm":
        weight = weight.T if node.attributes.get("transB", 0) else weight
        weight = weight * float(node.attributes.get("alpha", 1.0))
        bias = bias * float(node.attributes.get("beta", 1.0))
    channels = weight.shape[0 if node.op == "Conv" else -1]
    return Layer(node, weight, np.broadcast_to(bias.astype(np.float64), (channels,)).copy(), node.outputs[0])


def _taken_in(layer: Layer, follower: Node, constants: Mapping[str, Array]) -> Layer | None:
    """The layer with a following BatchNorm or constant sum in its weights; None if the follower is neither."""
    shape = [1] * layer.weight.ndim
    shape[layer.out_axis] = -1
    if follower.op == "BatchNormalization":
        gamma, beta, mean, variance = (constants[i].astype(np.float64) for i in follower.inputs[1:5])
        factor = gamma / np.sqrt(variance + float(follower.attributes.get("epsilon", 1e-5)))
        bias = (layer.bias - mean) * factor + beta
        return replace(layer, weight=layer.weight * factor.reshape(shape), bias=bias, output=follower.outputs[0])
    others = [i for i in follower.inputs if i != layer.output]
    if follower.op == "Add" and len(others) == 1 and others[0] in constants:
        extra = constants[others[0]]
        axis = extra.ndim - (layer.weight.ndim - 1 if layer.node.op == "Conv" else 1)
        if extra.size == 1 or (axis >= 0 and extra.size == extra.shape[axis] == len(layer.bias)):
            return replace(layer, bias=layer.bias + extra.reshape(-1), output=follower.outputs[0])
    return None


def inputs_of(step: Node | Layer) -> tuple[str, ...]:
    """The values that a step reads."""
    return step.node.inputs[:1] if isinstance(step, Layer) else step.inputs


def output_of(step: Node | Layer) -> str:
    """The value that a step makes."""
    if isinstance(step, Layer):
        return step.output
    return step.outputs[-1 if step.op == "TopK" else 0]


def _needs_grid(step: Node | Layer, constants: Mapping[str, Array]) -> bool:
    """Whether a step computes with integers, so that its inputs must be some."""
    if isinstance(step, Layer):
        return True
    branches = sum(i not in constants for i in step.inputs) > 1
    return branches or step.op in ("AveragePool", "GlobalAveragePool", "ReduceMean", "ReduceSum", *BENT)


def _marked(steps: tuple[Node | Layer, ...], constants: Mapping[str, Array], graph: Graph) -> dict[str, str]:
    """Values to be quantized, and by what name each shares its scale: branches that meet have one.

    Functions of one value that meet again (x * sigmoid(x)) are one function of it, which
    is tabulated: that value is quantized, not they.  The input always is, and the output
    where a function ends it that no integer arithmetic does.
    """
    origin: dict[str, list[str]] = {graph.input: [graph.input]}  # the values whose grid a value would be on
    stem: dict[str, str] = {graph.input: graph.input}  # the value that it is an elementwise function of
    group: dict[str, str] = {graph.input: graph.input}
    curved = set[str]()

    def root(value: str) -> str:
        while group[value] != value:
            value = group[value]
        return value

    for step in steps:
        out, given = output_of(step), [i for i in inputs_of(step) if i and i not in constants]
        op = "" if isinstance(step, Layer) else step.op
        elementwise = op in (*ELEMENTWISE, "Sum")
        stems = {stem[i] for i in given} if elementwise else set()
        stem[out] = min(stems) if len(stems) == 1 else out
        bends = elementwise and (op not in STRAIGHT or (len(given) > 1 and op not in SUMS))
        if (bends and not (out == graph.output and op in AT_THE_END)) or (
            curved & {*given} and (len(stems) == 1 or op in KEEPS_GRID)
        ):
            curved.add(out)
        if _needs_grid(step, constants):
            read = [stem[out]] if len(stems) == 1 else given
            sources = [o for i in read for o in origin[i]]
            for source in sources:
                group.setdefault(source, source)
            if not isinstance(step, Layer):
                for source in sources[1:]:
                    group[root(source)] = root(sources[0])
        keeps = not isinstance(step, Layer) and step.op in KEEPS_GRID
        origin[out] = [o for i in given for o in origin[i]] if keeps else [out]
    if graph.output in curved:
        group.setdefault(graph.output, graph.output)
    return {value: root(value) for value in group}


def _last(steps: tuple[Node | Layer, ...], end: str) -> frozenset[str]:
    """Layers with nothing but functions and reshapes between them and the output."""
    at: set[str] = {end}
    found = set()
    for step in reversed(steps):
        if output_of(step) not in at:
            continue
        if isinstance(step, Layer):
            found.add(step.output)
        else:
            at.update(step.inputs)
    return frozenset(found)
