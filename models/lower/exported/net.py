"""``decode``: the exact inverse of the ``qonnx`` backend, so that a net survives the way through a QONNX file.

Nothing of the net is stored beside the graph: every integer, shape, rounding and scale
is read from the nodes, the initializers and the annotations, and a graph that was
changed gives a changed net.  A graph in any other form gives None; the general front
end takes it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bitsmith.models.ir.errors import InvalidNetError
from bitsmith.models.ir.ops import Input, Op, QNet, Reshape
from bitsmith.models.ir.shapes import infer_shape
from bitsmith.models.ir.types import QuantType
from bitsmith.models.ir.verify import NAME, verify
from bitsmith.models.lower.exported.fit import Parameters, read_fit
from bitsmith.models.lower.exported.layers import Context, to_first, to_last, transposed
from bitsmith.models.lower.exported.ops import FLOAT, read_op
from bitsmith.models.lower.exported.reader import Constants, Foreign, Group, Node, Types, attributes, require

PRODUCER, DIALECT = "bitsmith", "1"
OPSET = 13
ON_PLACES = ("Conv", "MaxPool", "Pad", "Resize")
"""Nodes that work on places: where there is one, the graph is channels first."""


def decode(model: Any) -> QNet | None:
    """The net that ``model`` (an ``onnx.ModelProto``) was exported from; None if it is not in the export's form."""
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    if model.producer_name != PRODUCER or metadata.get("bitsmith.dialect") != DIALECT:
        return None
    try:
        return verify(_read(model, metadata.get("bitsmith.head", "")))
    except (Foreign, InvalidNetError, ValueError, OverflowError):  # the latter two: numbers that no QNet can have
        return None


def _read(model: Any, head: str) -> QNet:
    import onnx

    graph = model.graph
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    require(opsets.get("") == OPSET and not model.functions and not graph.sparse_initializer)
    require(len(graph.input) == len(graph.output) == 1)
    constants = Constants({tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer})
    require(len(constants.arrays) == len(graph.initializer))
    shapes = _shapes(graph)
    parameters, types = Parameters(constants, shapes), Types(_annotations(graph), constants)
    context = Context(parameters, types, {}, any(node.op_type in ON_PLACES for node in graph.node))
    groups, rest = _groups(graph, constants)
    require(groups)
    first = _input(context, groups[0], graph.input[0])
    context.known[first.name] = first
    for group in groups[1:]:
        op = read_op(context, group)
        require(op.name not in context.known)
        context.known[op.name] = _with_shape(op, context)
    ops = tuple(context.known.values())
    for op in context.known.values():
        require(shapes.get(op.name, ())[1:] == ((op.shape[-1], *op.shape[:-1]) if context.first else op.shape))
    _check_result(context, ops[-1], rest, graph.output[0].name)
    return QNet(graph.name, ops, head)


def _shapes(graph: Any) -> dict[str, tuple[int, ...]]:
    """The stated shapes of the float32 tensors that nodes make; 0 where a size is free."""
    stated = {info.name: info.type.tensor_type for info in (*graph.value_info, *graph.output)}
    return {
        name: tuple(int(d.dim_value) for d in tensor.shape.dim)
        for name, tensor in stated.items()
        if tensor.elem_type == FLOAT
    }


def _annotations(graph: Any) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for entry in graph.quantization_annotation:
        require(entry.tensor_name not in found)
        found[entry.tensor_name] = {pair.key: pair.value for pair in entry.quant_parameter_tensor_names}
    return found


def _groups(graph: Any, constants: Constants) -> tuple[list[Group], list[Node]]:
    """The nodes of each op, in order, and those behind the last: an op's value has a name without a dot."""
    groups: list[Group] = []
    open_nodes: list[Node] = []
    seen = {graph.input[0].name, *constants.arrays}
    for proto in graph.node:
        node = Node(proto.op_type, proto.domain, tuple(proto.input), tuple(proto.output), attributes(proto))
        require(node.outputs and seen.issuperset(node.inputs) and not seen.intersection(node.outputs))
        seen.update(node.outputs)
        open_nodes.append(node)
        if NAME.fullmatch(node.outputs[-1]):
            groups.append(Group(open_nodes))
            open_nodes = []
    return groups, open_nodes


def _with_shape(op: Op, context: Context) -> Op:
    shape = infer_shape(op, [context.shape(i) for i in op.inputs])
    assert not isinstance(op, Reshape) or shape == op.shape
    return replace(op, shape=shape)


def _input(c: Context, g: Group, source: Any) -> Input:
    """The Input from its quantizer; ``source`` is the graph's input, real and channels last."""
    element = source.type.tensor_type
    require(element.elem_type == FLOAT)
    shape = tuple(int(d.dim_value) for d in element.shape.dim)[1:]
    require(shape and min(shape) > 0)
    fit, kind = read_fit(c.parameters, g), c.types.of(g.value)
    x = fit.x
    if c.swapped(shape):
        x = transposed(g, x, to_first(len(shape)))
    if kind.scale != 1.0:
        node = g.take(x, "Div", 2)
        x = _scaled(c, node, kind)
    require(x == source.name)
    g.finish()
    return Input(
        name=g.value,
        inputs=(),
        shape=shape,
        type=kind,
        lo=fit.lo,
        hi=fit.hi,
        rounding=fit.rounding,
        overflow=fit.overflow,
    )


def _scaled(c: Context, node: Node, kind: QuantType) -> str:
    """What ``node`` multiplies or divides by the scale of ``kind``, which float32 may have rounded."""
    node.has()
    scale = c.parameters.constants.real(node.inputs[1])
    exact = np.asarray(kind.scale, np.float64)
    require(scale.shape == exact.shape and (scale == exact.astype(np.float32)).all())
    return node.inputs[0]


def _check_result(c: Context, op: Op, rest: list[Node], output: str) -> None:
    """Foreign unless the rest of the graph only brings ``op`` to real values, channels last."""
    x = output
    if rest:
        tail = Group(rest)
        require(tail.value == output)
        if op.type.scale != 1.0:
            x = _scaled(c, tail.take(x, "Mul", 2), op.type)
        if c.swapped(op.shape):
            x = transposed(tail, x, to_last(len(op.shape)))
        tail.finish()
    else:
        require(op.type.scale == 1.0 and not c.swapped(op.shape))
    require(x == op.name)
