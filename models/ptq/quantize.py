"""Post-training quantization: per-channel weights, calibrated activations, corrected biases.

Scales minimise the square error (Choukroun et al. 2019, Banner et al. 2019); the
bias of every layer is corrected by the mean error that quantization makes there
(Nagel et al. 2019, "Data-free quantization", section 4.2, here measured on the
calibration rows).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from bitsmith.models.ir import InputError, QuantType
from bitsmith.models.lower.onnx.functions import integer_range
from bitsmith.models.lower.onnx.graph import DOMAIN, Array, Graph, Node, read_graph
from bitsmith.models.lower.onnx.io import OnnxModel, check_model, import_onnx
from bitsmith.models.lower.onnx.run import for_batch, runner
from bitsmith.models.ptq.plan import Layer, Plan, inputs_of, output_of, plan
from bitsmith.models.ptq.steps import best_steps, shared_step

STEP_BITS = 12
"""Significant bits of a scale: the product of two, and of one with an integer of 12 bits, is exact in float32."""
SAMPLES = 1 << 16
"""Numbers per value that its scale is chosen by."""
BIAS_BITS = 32
"""Wider where the accumulator's steps are that fine."""
FORM = re.compile(r"[Ww](\d+)[Aa](\d+)")


@dataclass(frozen=True)
class Bits:
    """Widths of weights and activations."""

    weights: int
    activations: int

    @classmethod
    def parse(cls, text: str) -> Bits:
        """``W8A8``; InputError with the form if it is none."""
        found = FORM.fullmatch(text.strip())
        bits = cls(int(found[1]), int(found[2])) if found else cls(0, 0)
        if not (2 <= bits.weights <= 16 and 2 <= bits.activations <= 16):
            raise InputError(f"--bits {text} is no pair of widths; write W8A8 (2 to 16 bits each)")
        return bits


@dataclass(frozen=True, eq=False)
class _Grid:
    """A quantizer of activations."""

    step: float
    bits: int
    signed: bool


def quantize(model: OnnxModel, bits: Bits, rows: Array, input_type: QuantType | None = None) -> OnnxModel:
    """The float ``model`` as a QONNX model, its scales and biases fitted to ``rows`` (n, *ONNX's input shape).

    Weights get one scale per output channel (the last layer one in all, so that its
    outputs can be compared), activations one per value; branches that meet share one.
    A layer's bias is rounded to its accumulator's step.  ``input_type`` is the input's
    own quantizer; without it the input is quantized like any other value.

    UnsupportedError for ops that a net does not have, and for quantized models.
    """
    graph = read_graph(model)
    steps = plan(graph, model.name)
    given = rows.astype(np.float32)
    grids = _calibrate(graph, steps, given, bits.activations, input_type)
    writer = _Writer(graph, steps, grids, bits.weights)
    writer.run(given)
    return OnnxModel(model.name, writer.model())


def float_outputs(model: OnnxModel, rows: Array) -> Array:
    """What the float model computes for ``rows``, in float32."""
    graph = read_graph(model)
    steps = plan(graph, model.name)
    values: dict[str, Array] = {graph.input: rows.astype(np.float32)}
    compute = _Compute(graph, steps)
    for step, ends in compute.steps_with_ends():
        values[output_of(step)] = compute(step, values)
        for value in ends:
            values.pop(value, None)
    return values[graph.output]


class _Compute:
    """Steps of a plan on batches of rows, in float32."""

    def __init__(self, graph: Graph, steps: Plan) -> None:
        self.graph, self.plan = graph, steps

    def steps_with_ends(self) -> list[tuple[Node | Layer, set[str]]]:
        """Every step with the values that nobody reads after it."""
        last = {i: n for n, step in enumerate(self.plan.steps) for i in inputs_of(step)}
        return [(s, {i for i in inputs_of(s) if last[i] == n}) for n, s in enumerate(self.plan.steps)]

    def __call__(self, step: Node | Layer, values: dict[str, Array]) -> Array:
        """The step's output from ``values``."""
        if isinstance(step, Layer):
            return self.layer(step, values[step.node.inputs[0]], step.weight, step.bias)
        known = {**self.plan.constants, **values}
        rows = next(len(values[i]) for i in step.inputs if i in values)
        args = for_batch(self.graph, step.op, [known[i] if i else None for i in step.inputs], rows)
        return runner(self.graph, step, -1 if step.op == "TopK" else 0)(*args)

    def layer(self, layer: Layer, x: Array, weight: Array, bias: Array) -> Array:
        """The layer with these weights."""
        node = layer.node
        if node.op != "Conv":
            return np.asarray(x @ weight.astype(np.float32) + bias.astype(np.float32))
        return runner(self.graph, node)(x, weight.astype(np.float32), bias.astype(np.float32))


def _calibrate(graph: Graph, steps: Plan, rows: Array, bits: int, input_type: QuantType | None) -> dict[str, _Grid]:
    """The grid of every value that is to be quantized."""
    rng = np.random.default_rng(0)
    samples: dict[str, Array] = {}
    values = {graph.input: rows}
    compute = _Compute(graph, steps)

    def keep(value: str) -> None:
        if value in steps.marked:
            flat = values[value].reshape(-1).astype(np.float64)
            if not np.isfinite(flat).all():
                raise InputError(f"value {value} is NaN or infinite on the calibration data; the model is damaged")
            chosen = flat if flat.size <= SAMPLES else rng.choice(flat, SAMPLES, replace=False)
            samples[value] = np.append(chosen, [flat.min(), flat.max()])

    keep(graph.input)
    for step, ends in compute.steps_with_ends():
        values[output_of(step)] = compute(step, values)
        keep(output_of(step))
        for value in ends:
            values.pop(value, None)
    grids: dict[str, _Grid] = {}
    for name in sorted(set(steps.marked.values())):
        members = [v for v, group in steps.marked.items() if group == name]
        signs = {v: bool(samples[v].min() < 0) for v in members}
        best = shared_step([(samples[v], *integer_range(bits, signs[v], False)) for v in members])
        if input_type is not None and graph.input in members:
            best = input_type.scales[0]
        grids |= {v: _Grid(float(_short(best)), bits, signs[v]) for v in members}
    if input_type is not None and graph.input in grids:
        grids[graph.input] = _Grid(float(np.float32(input_type.scales[0])), input_type.bits, input_type.signed)
    return grids


def _short(step: Array | float) -> Array:
    """The nearest numbers of ``STEP_BITS`` significant bits, in float32."""
    mantissa, exponent = np.frexp(np.asarray(step, np.float64))
    short: Array = np.ldexp(np.rint(mantissa * 2.0**STEP_BITS), exponent - STEP_BITS)
    return short.astype(np.float32)


class _Writer:
    """Writes the quantized graph step by step, and computes it beside the float one to correct the biases."""

    def __init__(self, graph: Graph, steps: Plan, grids: dict[str, _Grid], weight_bits: int) -> None:
        self.graph, self.plan, self.grids, self.weight_bits = graph, steps, grids, weight_bits
        self.compute = _Compute(graph, steps)
        self.nodes: list[Any] = []
        self.constants: dict[str, Array] = {}
        self.step: dict[str, float] = {}  # of every value on a grid
        self.names: dict[str, str] = {}  # a value of the float graph -> the one that its readers read

    def run(self, rows: Array) -> None:
        """Every step, float and quantized."""
        exact: dict[str, Array] = {self.graph.input: rows}
        rounded: dict[str, Array] = {self.graph.input: self._quantized(self.graph.input, rows)}
        for step, ends in self.compute.steps_with_ends():
            out = output_of(step)
            exact[out] = self.compute(step, exact)
            if isinstance(step, Layer):
                y = self._layer(step, exact[out], rounded[step.node.inputs[0]])
            else:
                y = self.compute(step, rounded)
                self._copy(step)
            rounded[out] = self._quantized(out, y)
            for value in ends:
                exact.pop(value, None)
                rounded.pop(value, None)

    def _quantized(self, value: str, y: Array) -> Array:
        """``y`` behind its Quant, which is written; ``y`` itself if it gets none."""
        grid = self.grids.get(value)
        if grid is None:
            return y
        name = f"{value}_quantized"
        step = np.float32(grid.step)
        self._quant(self.names.get(value, value), name, np.asarray(step), grid.bits, grid.signed, narrow=False)
        self.names[value] = name
        lo, hi = integer_range(grid.bits, grid.signed, False)
        return np.asarray(np.clip(np.rint(y / step), lo, hi) * step, np.float32)

    def _quant(self, source: str, name: str, step: Array, bits: int, signed: bool, narrow: bool) -> None:
        helper = import_onnx().helper
        self.constants[f"{name}_step"] = step.astype(np.float32)
        self.constants |= {"zero": np.zeros((), np.float32), f"bits_{bits}": np.asarray(bits, np.float32)}
        given = [source, f"{name}_step", "zero", f"bits_{bits}"]
        options = {"signed": int(signed), "narrow": int(narrow), "rounding_mode": "ROUND"}
        self.nodes.append(helper.make_node("Quant", given, [name], name=name, domain=DOMAIN, **options))

    def _layer(self, layer: Layer, exact: Array, x: Array) -> Array:
        """The layer with quantized weights and a bias that makes up for their error; its output."""
        name = layer.output
        step = self._weight_steps(layer)
        lo, hi = integer_range(self.weight_bits, True, True)
        weight = np.clip(np.rint(layer.weight / step), lo, hi) * step
        y = self.compute.layer(layer, x, weight, layer.bias)
        channel = 1 if layer.node.op == "Conv" else y.ndim - 1
        others = tuple(i for i in range(y.ndim) if i != channel)
        bias = layer.bias + (exact.astype(np.float64) - y).mean(axis=others)
        source = layer.node.inputs[0]
        accumulator = (self._step_of(source) * step.astype(np.float32)).reshape(-1).astype(np.float32)
        accumulator = np.broadcast_to(accumulator, bias.shape)
        bias = np.rint(bias / accumulator) * accumulator.astype(np.float64)
        self.constants |= {f"{name}_weight": layer.weight.astype(np.float32), f"{name}_bias": bias.astype(np.float32)}
        self._quant(f"{name}_weight", f"{name}_weight_quantized", step, self.weight_bits, True, narrow=True)
        bias_bits = max(BIAS_BITS, int(np.abs(bias / accumulator).max()).bit_length() + 1)
        self._quant(f"{name}_bias", f"{name}_bias_quantized", accumulator, bias_bits, True, narrow=False)
        self._emit(layer, f"{name}_weight_quantized", f"{name}_bias_quantized")
        return self.compute.layer(layer, x, weight, bias)

    def _weight_steps(self, layer: Layer) -> Array:
        """One step per output channel, in the weight's own number of axes; one in all for the last layer."""
        lo, hi = integer_range(self.weight_bits, True, True)
        rows = np.moveaxis(layer.weight, layer.out_axis, 0).reshape(len(layer.bias), -1)
        if layer.output in self.plan.last:
            return _short(best_steps(rows.reshape(1, -1), lo, hi)).reshape([1] * layer.weight.ndim)
        shape = [1] * layer.weight.ndim
        shape[layer.out_axis] = -1
        return _short(best_steps(rows, lo, hi)).reshape(shape)

    def _emit(self, layer: Layer, weight: str, bias: str) -> None:
        helper = import_onnx().helper
        source, out = self.names.get(layer.node.inputs[0], layer.node.inputs[0]), layer.output
        if layer.node.op == "Conv":
            proto = import_onnx().NodeProto()
            proto.CopyFrom(layer.node.proto)
            del proto.input[:], proto.output[:]
            proto.input.extend([source, weight, bias])
            proto.output.append(out)
            self.nodes.append(proto)
            return
        product = f"{out}_product"
        self.nodes.append(helper.make_node("MatMul", [source, weight], [product], name=layer.node.name))
        self.nodes.append(helper.make_node("Add", [product, bias], [out], name=f"{layer.node.name}_bias"))

    def _copy(self, node: Node) -> None:
        proto = import_onnx().NodeProto()
        proto.CopyFrom(node.proto)
        for i, name in enumerate(node.inputs):
            proto.input[i] = self.names.get(name, name)
            if name in self.plan.constants:
                self.constants[name] = self.plan.constants[name]
        self.nodes.append(proto)

    def _step_of(self, value: str) -> np.float32:
        """The step of a value on a grid: its own Quant's, or that of the value which it was moved from."""
        if value in self.grids:
            return np.float32(self.grids[value].step)
        for step in self.plan.steps:
            if output_of(step) == value:
                return self._step_of(inputs_of(step)[0])
        raise AssertionError(f"{value} is on no grid")

    def model(self) -> Any:
        """The graph as an ``onnx.ModelProto``."""
        onnx = import_onnx()
        helper = onnx.helper
        used = {i for node in self.nodes for i in node.input}
        graph = helper.make_graph(
            self.nodes,
            "quantized",
            [helper.make_tensor_value_info(self.graph.input, 1, [self.graph.batch, *self.graph.input_shape])],
            [helper.make_tensor_value_info(self.names.get(self.graph.output, self.graph.output), 1, None)],
            [onnx.numpy_helper.from_array(np.asarray(v, order="C"), k) for k, v in self.constants.items() if k in used],
        )
        opsets = [helper.make_opsetid("", self.graph.opset), helper.make_opsetid(DOMAIN, 1)]
        proto = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="bitsmith-ptq")
        check_model(proto, "quantized model")
        return proto
