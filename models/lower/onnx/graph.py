"""An ONNX graph as plain nodes: one input, one output, constants apart, domains under one name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir import InputError
from bitsmith.models.ir.ops import Shape
from bitsmith.models.lower.onnx.io import MOST_ELEMENTS, OnnxModel, import_onnx, topological

Array = npt.NDArray[Any]

DOMAIN = "qonnx.custom_op.general"
DOMAINS = ("", "ai.onnx", DOMAIN, "onnx.brevitas", "finn.custom_op.general")
"""QONNX's ops under the names that Brevitas, FINN's finn-base and qonnx gave them, and the exports that forgot one."""
FLOATS = (1, 10, 11, 16)
"""ONNX's numbers of float32, float16, float64 and bfloat16."""
QUANTIZERS = ("Quant", "IntQuant", "BipolarQuant", "Trunc", "MultiThreshold")


@dataclass(frozen=True, eq=False)
class Node:
    """One node; ``op`` is prefixed with its domain if that is neither ONNX's nor QONNX's."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    proto: Any

    def ints(self, attribute: str, default: Shape) -> Shape:
        """A list of integers."""
        return tuple(int(v) for v in self.attributes.get(attribute, default))


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in an order in which every value is defined before it is read."""

    nodes: tuple[Node, ...]
    constants: Mapping[str, Array]
    input: str
    input_shape: Shape  # without the batch
    output: str
    opsets: Mapping[str, int]
    batch: int = 1  # that the file fixes; its shapes name it

    def readers(self, value: str) -> tuple[Node, ...]:
        """Every node that reads ``value``."""
        return tuple(n for n in self.nodes if value in n.inputs)

    @property
    def opset(self) -> int:
        """Version of ONNX's own ops."""
        return self.opsets[""]


def read_graph(model: OnnxModel) -> Graph:
    """The graph of ``model``; InputError if it has not one input of known shape and one output."""
    graph = model.proto.graph
    constants = {i.name: _numbers(i) for i in graph.initializer}
    inputs = [i for i in graph.input if i.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise InputError(
            f"model {model.name} has {len(inputs)} inputs and {len(graph.output)} outputs; a net has one of each: "
            f"export the part that goes into hardware, or concatenate"
        )
    known = {*constants, inputs[0].name, ""}
    ordered = _nodes(topological(list(graph.node), known, model.name), graph.output[0].name)
    constants |= {n.outputs[0]: _constant(model.name, n) for n in ordered if n.op == "Constant"}
    nodes = tuple(n for n in ordered if n.op != "Constant")
    opsets = {("" if o.domain == "ai.onnx" else o.domain): o.version for o in model.proto.opset_import}
    opsets.setdefault("", 1)
    shape = _input_shape(model.name, inputs[0])
    batch = max(1, inputs[0].type.tensor_type.shape.dim[0].dim_value)
    return Graph(nodes, constants, inputs[0].name, shape, graph.output[0].name, opsets, batch)


def _nodes(protos: Sequence[Any], output: str) -> list[Node]:
    """The nodes that the output depends on, each with a name of its own."""
    needed, nodes, taken = {output}, list[Node](), set[str]()
    for proto in reversed(protos):
        if any(o in needed for o in proto.output):
            needed.update(proto.input)
    for proto in protos:
        if any(o in needed for o in proto.output):
            node = _node(proto, len(nodes))
            while node.name in taken:
                node = replace(node, name=f"{node.name}_{len(nodes)}")
            taken.add(node.name)
            nodes.append(node)
    return nodes


def _node(proto: Any, index: int) -> Node:
    onnx = import_onnx()
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}
    op = proto.op_type if proto.domain in DOMAINS else f"{proto.domain}.{proto.op_type}"
    if op == "Cast" and attributes.get("to") in FLOATS:
        proto, attributes = onnx.helper.make_node("Cast", proto.input, proto.output, to=1), {"to": 1}
    name = proto.name or f"{proto.op_type}_{index}"
    return Node(op, name, tuple(proto.input), tuple(proto.output), attributes, proto)


def _numbers(tensor: Any) -> Array:
    """A tensor; floats of any width as float32, in which the whole graph is computed."""
    values = np.asarray(import_onnx().numpy_helper.to_array(tensor))
    return values.astype(np.float32) if tensor.data_type in FLOATS else values


def _constant(model: str, node: Node) -> Array:
    for key, value in node.attributes.items():
        if key == "value":
            return _numbers(value)
        if key in ("value_float", "value_floats"):
            return np.asarray(value, np.float32)
        if key in ("value_int", "value_ints"):
            return np.asarray(value, np.int64)
    raise InputError(f"model {model}: constant {node.name} is no tensor of numbers; export the model anew")


def _input_shape(model: str, value: Any) -> Shape:
    dims = value.type.tensor_type.shape.dim
    shape = tuple(d.dim_value if d.HasField("dim_value") else 0 for d in dims)
    names = tuple(d.dim_param or str(d.dim_value) for d in dims)
    if len(shape) < 2 or not all(shape[1:]):
        raise InputError(
            f"model {model} takes inputs of the shape ({', '.join(names)}); hardware needs a batch axis and every "
            f"other size to be known: export the model with a fixed input shape (only the batch may be free)"
        )
    if math.prod(shape[1:]) > MOST_ELEMENTS:
        raise InputError(f"model {model} takes inputs of the shape {shape}: far too large for an FPGA")
    return shape[1:]


def channel_axis(node: Node, rank: int) -> int:
    """The axis of the channels of a MultiThreshold, by its ``data_layout``; 1 if it does not say."""
    layout = text(node.attributes.get("data_layout", ""))
    return layout.index("C") if "C" in layout and len(layout) == rank else 1


def text(value: Any) -> str:
    """An attribute that may be bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)
