"""ONNX and QONNX models (Brevitas, qonnx, FINN, other exporters) to a QNet, and what qonnx computes for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir import ArgMax, InputError, QNet, QuantType, UnsupportedError
from bitsmith.models.ir.ops import Shape
from bitsmith.models.lower.compare import Comparison, compare_outputs, compare_random
from bitsmith.models.lower.exported.net import decode
from bitsmith.models.lower.functions import Floats, Refusal, Rounder
from bitsmith.models.lower.lowering import Lowering, Value
from bitsmith.models.lower.onnx.execute import DoubleExecution, Execution
from bitsmith.models.lower.onnx.functions import ELEMENTWISE, quantizer
from bitsmith.models.lower.onnx.graph import QUANTIZERS, Array, Graph, Node, read_graph
from bitsmith.models.lower.onnx.io import OnnxModel, load_model
from bitsmith.models.lower.onnx.layers import HANDLERS
from bitsmith.models.lower.onnx.run import runner
from bitsmith.models.lower.onnx.shapes import MOVES, SHAPES
from bitsmith.models.lower.onnx.state import State
from bitsmith.models.lower.onnx.values import Constant, Tensor, channels_first, plain
from bitsmith.models.lower.onnx.weights import AFTER_TRAINING, fold_constants

__all__ = ["Comparison", "LoweredOnnx", "compare_outputs", "compare_random", "load_model", "lower", "lowered"]

Head = Literal["logits", "argmax"]

HEADS = ("softmax", "sigmoid")
DECISION = "decision"
OUTPUT_BITS = 8
"""A real bias behind the last layer is brought to a grid this many bits finer than the accumulator."""
SPATIAL = ("Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Pad", "Resize", "Upsample")
REMEDIES = {
    "ConvTranspose": "use Resize (nearest) and Conv",
    "LSTM": "recurrent layers have no op in a net",
    "GRU": "recurrent layers have no op in a net",
    "Gather": "select channels before the network",
    "qonnx.custom_op.channels_last.Conv": "import the graph from before ConvertToChannelsLast",
    "Im2Col": "import the graph from before LowerConvsToMatMul",
    "DepthToSpace": "use Resize (nearest) and Conv",
    "Where": "use Clip, Relu or LeakyRelu; torch writes Softplus as one node with dynamo=False",
    "Slice": "split the data before the network",
    "Split": "split the data before the network",
    "InstanceNormalization": "use BatchNormalization",
    "LayerNormalization": "use BatchNormalization",
    "QuantizeLinear": "convert it to QONNX: qonnx-convert, or qonnx.transformation.qcdq_to_qonnx",
    "DequantizeLinear": "convert it to QONNX: qonnx-convert, or qonnx.transformation.qcdq_to_qonnx",
}


@dataclass(frozen=True, eq=False)
class LoweredOnnx:
    """A net with the ONNX graph that it was made from.

    ``residual`` (per channel, real) is what of a real bias behind the last layer the
    net's grid does not hold; ``reference`` leaves it out as the net does.
    """

    net: QNet
    graph: Graph
    execution: Execution
    execution_float64: DoubleExecution
    input_places: Array
    output_places: Array
    rounds_input: bool
    left_out: tuple[str, ...]
    residual: Floats | None
    names_class: bool  # the net ends in an ArgMax that the graph does not have
    framework: str = "qonnx"

    def reference(self, x: npt.ArrayLike) -> Floats:
        """What qonnx computes at the point of ``net.output``, for real inputs (n, *net.input.shape), channels last."""
        return self._ours(self.execution(self.to_onnx(np.asarray(x, np.float64))))

    def _ours(self, y: Floats) -> Floats:
        """ONNX's output as the net has it: without what the net leaves out."""
        ours = self.in_net_order(y)
        if self.net.output.name == DECISION:
            return (ours >= 0).astype(np.float64)
        if self.names_class:
            winner: Floats = ours.reshape(len(y), *self.net.output.shape[:-1], -1).argmax(-1).astype(np.float64)
            return winner[..., None]
        ours = ours.reshape(len(y), *self.net.output.shape)
        return ours if self.residual is None else ours - self.residual

    def in_net_order(self, y: Array) -> Floats:
        """ONNX's output (n, ...) with its elements in the net's order; (n, *net.output.shape) if the sizes agree."""
        flat = y.reshape(len(y), -1)
        ours = np.empty(flat.shape)
        ours[:, self.output_places.ravel()] = flat
        whole = ours.shape[1] == int(np.prod(self.net.output.shape))
        return ours.reshape(len(y), *self.net.output.shape) if whole else ours

    def from_onnx(self, rows: Array) -> Floats:
        """Rows in ONNX's layout as rows in the net's."""
        flat = rows.reshape(len(rows), -1)
        ours = np.empty(flat.shape)
        ours[:, self.input_places.ravel()] = flat
        return ours.reshape(len(rows), *self.net.input.shape)

    def reference_float64(self, x: npt.ArrayLike) -> Floats:
        """As ``reference``, with all sums that float32 does not hold computed in float64."""
        return self._ours(self.execution_float64(self.to_onnx(np.asarray(x, np.float64))))

    def to_onnx(self, x: Floats) -> Floats:
        """Rows in the net's layout (channels last) as rows in ONNX's."""
        return np.ascontiguousarray(x.reshape(len(x), -1)[:, self.input_places])


def lower(model: OnnxModel, *, name: str, input_type: QuantType | None = None, head: Head = "logits") -> QNet:
    """The QNet that computes what ``model`` computes at inference; see ``lowered``."""
    return lowered(model, name=name, input_type=input_type, head=head).net


def lowered(model: OnnxModel, *, name: str, input_type: QuantType | None = None, head: Head = "logits") -> LoweredOnnx:
    """The net of ``model``, and ``model`` as its reference.

    A file that the ``qonnx`` backend wrote gives back the very net that it was written
    from.  Otherwise the net is channels last: an image input (channels, height, width) becomes
    (height, width, channels), unless the graph begins with the Transpose of a
    channels-last one.  A quantizer right behind the input becomes the net's Input.
    Without one, the Input is of ``input_type``; its default is what the graph's own
    datatype annotation says, then 8 unsigned bits of scale 2**-8 for images, 8 signed
    bits of scale 2**-7 otherwise.

    A final softmax or sigmoid is left out and named in ``net.head``.  With
    ``head="argmax"`` the output is the index of the largest logit.

    The real arithmetic between an integer and its quantizer (BatchNorm, real scales) is
    done in float32 where a framework's float32 is without noise, so that both round
    alike, and in float64 behind sums with a real scale (``State.precision``).

    UnsupportedError listing every node that cannot be lowered and why; InputError for
    graphs without exactly one input of known shape and one output.
    """
    own = decode(model.proto) if input_type is None and head == "logits" else None
    if own is not None:
        return _decoded(model, replace(own, name=name))
    graph = read_graph(model)
    n = Lowering(name)
    absorbed = None if input_type else _input_quantizer(graph)
    state = State(graph, n, absorbed[0].name if absorbed else None)
    start = _input(n, model, graph, absorbed[1] if absorbed else None, input_type)
    state.values[graph.input] = start
    state.values.update({k: Constant(v) for k, v in graph.constants.items()})
    _refuse_unknown(model, graph)
    _walk(model, state)
    output = state.values[graph.output]
    if not isinstance(output, Tensor):
        raise InputError(f"model {model.name}: its output does not depend on its input; export the model anew")
    try:
        net, residual, end, notes = _finish(model, state, output, head)
    except (Refusal, OverflowError) as error:
        raise UnsupportedError(
            f"model {model.name} cannot be lowered: its output {error}; put a Quant with one scale behind its last "
            f"layer, or {AFTER_TRAINING}"
        ) from error
    folded = {k: v.values for k, v in state.values.items() if isinstance(v, Constant)}
    single = frozenset({*state.single, *([absorbed[0].name] if absorbed else [])})
    runs = Execution(graph, folded, end), DoubleExecution(graph, folded, end, single)
    names_class = isinstance(net.output, ArgMax) and not any(n.op in ("ArgMax", "TopK") for n in graph.nodes)
    rounds = absorbed is not None
    return LoweredOnnx(net, graph, *runs, start.places, output.places, rounds, notes, residual, names_class)


def _decoded(model: OnnxModel, net: QNet) -> LoweredOnnx:
    """A net that was exported before, taken back integer by integer; input and output are channels last there."""
    graph = read_graph(model)
    runs = Execution(graph, {}, graph.output), DoubleExecution(graph, {}, graph.output, frozenset())
    taken, given = (np.arange(math.prod(op.shape)).reshape(op.shape) for op in (net.input, net.output))
    return LoweredOnnx(net, graph, *runs, taken, given, True, (), None, False)


def _input_quantizer(graph: Graph) -> tuple[Node, Rounder] | None:
    """The quantizer that alone reads the input, past nodes that only move elements; None if there is none."""
    at = graph.input
    while len(graph.readers(at)) == 1:
        node = graph.readers(at)[0]
        if node.op in MOVES:
            at = node.outputs[0]
            continue
        parameters = [graph.constants.get(i) for i in node.inputs[1:]]
        if node.op not in ("Quant", "IntQuant") or any(p is None or p.size != 1 for p in parameters):
            return None
        try:
            meaning = quantizer(graph, node, [p.reshape(()) for p in parameters if p is not None], np.float32)
        except Refusal:
            return None  # the walk will say it
        return (node, meaning.rounder) if meaning.rounder else None
    return None


def _input(n: Lowering, model: OnnxModel, graph: Graph, rounder: Rounder | None, kind: QuantType | None) -> Tensor:
    """The Input and its places."""
    last = len(graph.input_shape)
    turned = 1 < last <= 3 and not _is_channels_last(graph)
    shape: Shape = (*graph.input_shape[1:], graph.input_shape[0]) if turned else graph.input_shape
    lo = hi = None
    if rounder is not None:
        lo, hi = rounder.lo, rounder.hi
        kind = QuantType.for_range(lo, hi, rounder.step)
    elif kind is None:
        annotated = _annotated(model, graph.input)
        if annotated is not None:
            lo, hi = annotated
            kind = QuantType.for_range(lo, hi)
        else:
            kind = QuantType(8, False, 2.0**-8) if last == 3 else QuantType(8, True, 2.0**-7)
    value = Value(n.builder.input("input", shape, kind, lo, hi))
    return Tensor(value, channels_first(shape)) if turned else plain(n, value)


def _is_channels_last(graph: Graph) -> bool:
    """Whether the input's channels are on its last axis: its first layer says so, or else the shorter of both ends."""
    shape, at = graph.input_shape, graph.input
    turn = [0, len(shape), *range(1, len(shape))]
    while readers := graph.readers(at):
        node = readers[0]
        if node.op == "Transpose":
            return list(node.ints("perm", ())) == turn
        if node.op == "MatMul":
            return True
        if node.op in ("ArgMax", "TopK", "Softmax"):
            return int(node.attributes.get("axis", -1)) in (-1, len(shape))
        if node.op not in ELEMENTWISE and node.op not in QUANTIZERS and node.op not in ("Identity", "Cast"):
            return node.op not in SPATIAL and shape[-1] < shape[0]
        at = node.outputs[0]
    return False


def onnx_rows(model: OnnxModel, rows: Array) -> Array:
    """Rows (n, ...), channels last as a net has them or as the model itself takes them, in the model's layout.

    InputError if they suit neither.
    """
    graph = read_graph(model)
    shape, have = graph.input_shape, rows.shape[1:]
    turned = (*shape[1:], shape[0])
    if 1 < len(shape) <= 3 and have == turned and (have != shape or not _is_channels_last(graph)):
        return np.moveaxis(rows, -1, 1)
    if have != shape:
        raise InputError(f"model {model.name} takes rows of shape {shape} or {turned}, the data have {have}")
    return rows


def _annotated(model: OnnxModel, name: str) -> tuple[int, int] | None:
    """Integer range by the datatype that qonnx wrote beside a tensor; None if there is none or it is float."""
    for note in model.proto.graph.quantization_annotation:
        kinds = {e.key: e.value for e in note.quant_parameter_tensor_names}
        kind = kinds.get("finn_datatype", "")
        if note.tensor_name != name or not kind:
            continue
        if kind in ("BIPOLAR", "TERNARY"):
            return -1, 1
        digits = kind.lstrip("UINT")
        if kind.startswith(("INT", "UINT")) and digits.isdigit() and 1 <= int(digits) <= 32:
            bits = int(digits)
            return (0, (1 << bits) - 1) if kind.startswith("U") else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    return None


def _refuse_unknown(model: OnnxModel, graph: Graph) -> None:
    """UnsupportedError that lists every node with no handler which reads, directly or not, the input."""
    alive, lines = {graph.input}, []
    for node in graph.nodes:
        if not any(i in alive for i in node.inputs):
            continue
        if node.op == "Shape":
            continue
        alive.update(node.outputs)
        if node.op not in HANDLERS and node.op not in SHAPES:
            lines.append(f"\n  {node.name} ({node.op}): has no meaning in a net; {remedy(node.op)}")
    _raise(model, lines)


def remedy(op: str) -> str:
    """What helps against an op that a net does not have."""
    if op.startswith("com.microsoft."):
        return "import the graph from before onnxruntime optimized it for a machine (ORT_ENABLE_BASIC keeps to ONNX)"
    return REMEDIES.get(op, "replace it by supported ops, or leave it outside of the net")


def _raise(model: OnnxModel, lines: Sequence[str]) -> None:
    if lines:
        raise UnsupportedError(
            f"model {model.name} cannot be lowered, {len(lines)} node(s) stand in the way:{''.join(lines)}"
        )


def _walk(model: OnnxModel, state: State) -> None:
    """Every node in order; what a node that cannot be lowered gives is left out, with all that depends on it."""
    lines, lost = [], set[str]()
    for node in state.graph.nodes:
        if any(i in lost for i in node.inputs):
            lost.update(node.outputs)
            continue
        given = [state.values.get(i) if i else None for i in node.inputs]
        try:
            if node.op == "Shape" and isinstance(given[0], Tensor):
                shape = runner(state.graph, node)(np.zeros((1, *given[0].shape), np.float32))
                state.values[node.outputs[0]] = Constant(shape)
            elif not any(isinstance(g, Tensor) for g in given):
                constants = [g if isinstance(g, Constant) else None for g in given]
                state.values.update(zip(node.outputs, fold_constants(state.graph, node, constants), strict=False))
            else:
                done = (HANDLERS | SHAPES)[node.op](state, node, given)
                state.values[node.outputs[-1 if node.op == "TopK" else 0]] = done
        except (Refusal, ValueError) as error:
            lost.update(node.outputs)
            lines.append(f"\n  {node.name} ({node.op}): {error}")
        except OverflowError as error:
            lost.update(node.outputs)
            lines.append(
                f"\n  {node.name} ({node.op}): {error}; put a Quant of few bits before it, or {AFTER_TRAINING}"
            )
    _raise(model, lines)


def _finish(
    model: OnnxModel, state: State, output: Tensor, head: Head
) -> tuple[QNet, Floats | None, str, tuple[str, ...]]:
    """The net, what its output leaves out per channel, ONNX's name of its output, and that in words."""
    n, value = state.n, output.value
    end, notes = state.graph.output, []
    last = value.chain[-1].name if value.chain else ""
    if last in HEADS:
        value = replace(value, chain=value.chain[:-1])
        end = _before_head(state.graph)
        notes.append(f"the final {last}")
    residual: Floats | None = None
    if head == "argmax" and n.shape(value)[-1] > 1 and n.builder.ops[value.op].kind != "argmax":
        op = n.builder.argmax("classes", n.comparable(value, "output").op)
        return n.builder.build(op), None, end, tuple(notes)
    try:
        residual = n.rounded_off(value)
        value = n.settle(value, "output", OUTPUT_BITS)
    except Refusal as refusal:
        if any(f.affine is None for f in value.chain):
            raise refusal
        value, lost = n.nearest(value, OUTPUT_BITS, "output")
        residual = lost
        notes.append(
            f"at most {float(np.abs(lost).max()):.3g} of the real bias behind the last layer, which the output's grid "
            f"(steps of {float(n.channel_scales(value).min()):.3g}) does not hold"
        )
    if head == "argmax" and n.builder.ops[value.op].kind != "argmax":
        value = _decision(n, model, value, last)
    return (
        n.builder.build(value.op, last if last in HEADS and head == "logits" else "none"),
        residual,
        end,
        tuple(notes),
    )


def _decision(n: Lowering, model: OnnxModel, value: Value, last: str) -> Value:
    """Whether the logit of a single sigmoid is at least 0."""
    if last != "sigmoid":
        raise InputError(
            f"model {model.name} has one output without a sigmoid: there is no class to name; use head='logits'"
        )
    return Value(n.builder.thresholds(DECISION, value.op, 1.0, [[0]], [0], [1]))


def _before_head(graph: Graph) -> str:
    """ONNX's name of what the final softmax or sigmoid reads."""
    makers: dict[str, Any] = {o: node for node in graph.nodes for o in node.outputs}
    at = graph.output
    while makers[at].op in MOVES:
        at = makers[at].inputs[0]
    return str(makers[at].inputs[0])
