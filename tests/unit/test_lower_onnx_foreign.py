"""Graphs as other people's exporters write them: odd names, types, shapes and batches, gates, torch and Brevitas."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx_nets
import pytest
from onnx import helper, numpy_helper
from onnx_nets import QONNX, Graph, per_axis

from bitsmith.models.ir import UnsupportedError, execute, quantize_input, random_inputs
from bitsmith.models.lower.onnx.io import OnnxModel, check_model, load_model
from bitsmith.models.lower.qonnx import LoweredOnnx, lower, lowered
from bitsmith.models.ptq import Bits, quantize
from bitsmith.models.ptq.quantize import float_outputs

ROWS = 200
W8A8 = Bits(8, 8)


exact = partial(onnx_nets.exact, rows=ROWS)


def small(batch: int | str = 1) -> OnnxModel:
    g = Graph(3, 6, 6)
    y = g.batchnorm(g.node("Conv", g.quant("x", 0.25, 4), g.weight(4, 3, 3, 3), kernel_shape=[3, 3]), 4)
    y = g.node("Flatten", g.quant(g.node("Relu", y), 0.25, 4, signed=0))
    return g.model(g.node("MatMul", y, g.weight(64, 5, scale=0.5)), batch=batch)


def test_a_bias_that_two_branches_read_is_added_once() -> None:
    """The bias is in steps of the accumulator but for float32 rounding: it waits, and one reader settles it."""
    g = Graph(6)
    bias = g.quant(g.const(g.rng.normal(size=5)), np.float32(0.11) * np.float32(0.13), 16)
    y = g.node("Gemm", g.quant("x", 0.11, 6), g.weight(6, 5, scale=0.13, bits=4), bias)
    waits = g.node("Relu", y)
    settled = g.quant(g.node("MatMul", y, g.weight(5, 4, scale=0.2)), 0.1, 8)
    late = g.quant(g.node("MatMul", g.quant(waits, 0.05, 5, signed=0), g.weight(5, 4, scale=0.3)), 0.1, 8)
    exact(g.model(g.node("Add", settled, late)), noise=20)  # of qonnx's float32 sums


GATES: dict[str, Callable[[Graph, str], str]] = {
    "silu": lambda g, x: g.node("Mul", x, g.node("Sigmoid", x)),
    "softsign": lambda g, x: g.node("Div", x, g.node("Add", g.node("Abs", x), g.const(1.0))),
    "mish": lambda g, x: g.node("Mul", x, g.node("Tanh", g.node("Softplus", x))),
    "gelu": lambda g, x: g.node(
        "Mul",
        g.const(0.5),
        g.node("Mul", x, g.node("Add", g.node("Erf", g.node("Div", x, g.const(1.414))), g.const(1.0))),
    ),
    "hard_swish": lambda g, x: g.node(
        "Div",
        g.node("Mul", x, g.node("Clip", g.node("Add", x, g.const(3.0)), g.const(0.0), g.const(6.0))),
        g.const(6.0),
    ),
    "sum": lambda g, x: g.node("Add", x, g.node("Tanh", x)),
    "leaky": lambda g, x: g.node("Max", x, g.node("Mul", x, g.const(0.1))),
    "square": lambda g, x: g.node("Mul", x, x),
}


@pytest.mark.parametrize("case", GATES)
@pytest.mark.parametrize("before", ["values", "batchnorm"])
def test_functions_of_one_value_that_meet_again_are_one_function(case: str, before: str) -> None:
    g = Graph(6)
    x = g.quant("x", 0.25, 4)
    if before == "batchnorm":
        x = g.batchnorm(g.node("MatMul", x, g.weight(6, 5)), 5)
    exact(g.model(g.quant(GATES[case](g, x), 0.2, 5)))


def test_a_gate_with_another_value_is_refused() -> None:
    g = Graph(4, 4, 4)
    x = g.quant("x", 0.25, 4)
    y = g.node("Mul", x, g.node("Sigmoid", g.node("GlobalAveragePool", x)))
    with pytest.raises(UnsupportedError, match="gating has no op"):
        lower(g.model(g.quant(y, 0.25, 4)), name="test")


NAMES: dict[str, Callable[[int, str], str]] = {
    "none": lambda i, op: "",
    "all_the_same": lambda i, op: "same",
    "that_clash_with_ours": lambda i, op: f"{op}_{(i + 1) % 3}" if i % 2 else "",
    "of_the_input": lambda i, op: "input",
    "unicode": lambda i, op: f"层/{op}:{i}é",
}


@pytest.mark.parametrize("case", NAMES)
def test_names_of_nodes_do_not_matter(case: str) -> None:
    model = small()
    for i, node in enumerate(model.proto.graph.node):
        node.name = NAMES[case](i, node.op_type)
    assert len(exact(model).net.ops) == len(exact(small()).net.ops)


def test_nodes_in_any_order_and_nodes_that_nobody_reads() -> None:
    model = small()
    nodes = [*model.proto.graph.node, helper.make_node("Relu", ["x"], ["unread"])]
    nodes.append(helper.make_node("LSTM", ["unread", "c0", "c0"], ["unread_too"]))
    del model.proto.graph.node[:]
    model.proto.graph.node.extend(reversed(nodes))
    low = exact(model)
    assert low.rounds_input and len(low.net.ops) == len(exact(small()).net.ops)


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_weights_of_other_widths(kind: Any) -> None:
    model = small()
    for tensor in model.proto.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(kind), tensor.name))
    exact(model)


@pytest.mark.parametrize("batch", [0, -1, 4, "batch"])
def test_batches(batch: int | str) -> None:
    model = small(batch)
    check_model(model.proto, "test")
    exact(model)


def test_a_fixed_batch_in_shapes() -> None:
    """As torch's dynamo exporter writes it for two rows of example data, with allowzero."""
    g = Graph(3, 4, 4, opset=18)
    y = g.node("Reshape", g.quant("x", 0.25, 4), g.const([2, 48], np.int64), allowzero=1)
    exact(g.model(g.node("MatMul", y, g.weight(48, 3)), batch=2))


def test_sizes_and_parts_of_shapes() -> None:
    """Resize to sizes, and Shape with a start and an end."""
    g = Graph(2, 3, 3, opset=18)
    x = g.node("Resize", g.quant("x", 0.25, 4), "", "", g.const([1, 2, 6, 9], np.int64), mode="nearest")
    shape = g.node("Concat", g.node("Shape", x, start=0, end=1), g.const([-1], np.int64), axis=0)
    exact(g.model(g.node("MatMul", g.node("Reshape", x, shape), g.weight(108, 3))))


@pytest.mark.parametrize("op", ["ReduceMean", "ReduceSum", "ReduceMax"])
@pytest.mark.parametrize("axes", [[2], [3], [2, 3]])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_reductions_of_places(op: str, axes: list[int], keepdims: int) -> None:
    g = Graph(3, 4, 6)
    given = [g.const(axes, np.int64)] if op == "ReduceSum" else []  # an input from opset 13 on
    options = {"keepdims": keepdims} | ({} if given else {"axes": axes})
    exact(g.model(g.quant(g.node(op, g.quant("x", 0.25, 4), *given, **options), 0.2, 6)))


@pytest.mark.parametrize("op", ["ReduceMean", "ReduceMax"])
def test_reductions_of_a_set_of_rows(op: str) -> None:
    """As nets on sets of particles or points: a dense layer on every row, then one pool over the rows."""
    g = Graph(7, 3)
    y = g.quant(g.node("Relu", g.node("MatMul", g.quant("x", 0.25, 4), g.weight(3, 5))), 0.25, 4, signed=0)
    y = g.node(op, y, axes=[1], keepdims=0)
    exact(g.model(g.node("MatMul", y, g.weight(5, 2))))


def test_scales_per_channel_that_stand_beside_the_weight() -> None:
    """As qonnx's ExtractQuantScaleZeroPt writes it."""
    g = Graph(3, 5, 5)
    w = g.quant(g.const(g.rng.integers(-7, 8, (4, 3, 3, 3))), 1.0, 4)
    w = g.node("Mul", w, g.const(per_axis([0.11, 0.2, 0.31, 0.17], 4, 1, 1, 1)))
    exact(g.model(g.quant(g.node("Conv", g.quant("x", 0.25, 4), w, kernel_shape=[3, 3]), 0.437, 5)))


REFUSED: dict[str, tuple[Callable[[Graph], str], str]] = {
    "no_attributes": (
        lambda g: g.node("Quant", "x", g.const(0.25), g.const(0), g.const(4), domain=QONNX),
        "does not say whether it is signed",
    ),
    "root_of_negatives": (
        lambda g: g.quant(g.node("Sqrt", g.quant("x", 0.25, 4)), 0.25, 4),
        "NaN or infinite for some of its inputs",
    ),
    "of_a_machine": (
        lambda g: g.node("FusedConv", g.quant("x", 0.25, 4), domain="com.microsoft"),
        "ORT_ENABLE_BASIC",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_says_why(case: str) -> None:
    make, text = REFUSED[case]
    g = Graph(6)
    with pytest.raises(UnsupportedError, match=text):
        lowered(g.model(make(g)), name="test")


def test_classes_behind_scales_that_have_no_common_step() -> None:
    """The logits have a scale per channel; to be compared they are brought to a grid far finer than float32."""
    g = Graph(6)
    model = g.model(g.batchnorm(g.node("MatMul", g.quant("x", 0.2, 4), g.weight(6, 4)), 4))
    assert exact(model).net.output.type.is_per_channel
    assert exact(model, head="argmax").net.output.kind == "argmax"


# -- quantization after training -----------------------------------------------------------------------------------


def close(model: OnnxModel, worst: float, bits: Bits = W8A8, scale: float = 1.0, noise: int = 6) -> LoweredOnnx:
    """Exact, and the relative error beside the float model is at most ``worst``."""
    shape = tuple(d.dim_value for d in model.proto.graph.input[0].type.tensor_type.shape.dim)[1:]
    x = (scale * np.random.default_rng(1).normal(size=(128, *shape))).astype(np.float32)
    low = exact(quantize(model, bits, x), noise)
    want = low.in_net_order(float_outputs(model, x))
    got = low.net.output.type.real(execute(low.net, quantize_input(low.net, low.from_onnx(x))))
    assert np.sqrt(np.square(got - want).mean() / np.square(want).mean()) < worst
    return low


def normal(g: Graph, *shape: int) -> str:
    return g.const(g.rng.normal(size=shape) / np.sqrt(shape[0]))


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_an_input_that_a_batchnorm_reads_first_has_a_fitted_grid(scale: float) -> None:
    g = Graph(3, 5, 5)
    x = g.batchnorm(g.node("Div", "x", g.const(scale)), 3)
    close(g.model(g.node("MatMul", g.node("Flatten", x), normal(g, 75, 4))), 0.05, scale=scale)


@pytest.mark.parametrize("case", GATES)
def test_gates_become_tables_of_a_quantized_value(case: str) -> None:
    g = Graph(3, 5, 5)
    x = GATES[case](g, g.node("Conv", "x", normal(g, 4, 3, 3, 3), kernel_shape=[3, 3]))
    low = close(g.model(g.node("MatMul", g.node("Flatten", x), normal(g, 36, 4))), 0.08)
    assert all(op.table.size <= 256 for op in low.net.ops if op.kind == "lut")


def test_an_output_behind_a_function_is_quantized() -> None:
    g = Graph(8)
    low = close(g.model(g.node("Tanh", g.node("MatMul", "x", normal(g, 8, 4)))), 0.05)
    assert low.net.output.type.bits == 8 and low.left_out == ()


def test_a_sum_of_branches_at_the_end_stays_an_integer_sum() -> None:
    g = Graph(8)
    total = g.node("Add", g.node("MatMul", "x", normal(g, 8, 4)), g.node("MatMul", "x", normal(g, 8, 4)))
    assert close(g.model(total), 0.05).net.output.kind == "add"


def test_shapes_that_the_graph_computes_are_folded() -> None:
    """As torch exports x.view(x.shape[0], -1) and a Resize to the size of another value."""
    g = Graph(2, 4, 4)
    x = g.node("Conv", "x", normal(g, 3, 2, 1, 1), kernel_shape=[1, 1])
    half = g.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    half = g.node("Resize", half, "", "", g.node("Shape", x), mode="nearest")
    both = g.node("Concat", x, half, axis=1)
    rows = g.node("Gather", g.node("Shape", both), g.const(0, np.int64), axis=0)
    shape = g.node("Concat", g.node("Unsqueeze", rows, g.const([0], np.int64)), g.const([-1], np.int64), axis=0)
    close(g.model(g.node("MatMul", g.node("Reshape", both, shape), normal(g, 96, 3)), batch="batch"), 0.05)


def test_biases_of_fine_accumulators_are_not_clipped() -> None:
    g = Graph(8)
    y = g.node("Add", g.node("MatMul", "x", normal(g, 8, 4)), g.const([3.0, -5.0, 8.0, 1.0]))
    close(g.model(y), 1e-4, Bits(16, 16), noise=ROWS)  # its sums are far finer than float32


# -- files of torch and Brevitas -----------------------------------------------------------------------------------


def test_torch_with_gates_residuals_and_depthwise_layers(tmp_path: Path) -> None:
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3), nn.Hardswish())
            wide = (nn.Conv2d(4, 8, 1, bias=False), nn.BatchNorm2d(8), nn.SiLU())
            deep = (nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.GELU(), nn.Conv2d(8, 4, 1), nn.BatchNorm2d(4))
            self.branch, self.end = nn.Sequential(*wide, *deep), nn.Linear(4, 3)

        def forward(self, x: Any) -> Any:
            x = self.stem(x)
            x = x + self.branch(x)
            return self.end(x.mean([2, 3]).view(x.shape[0], -1))

    torch.manual_seed(0)
    net = Block().eval()
    torch.onnx.export(net, (torch.zeros(1, 3, 6, 6),), tmp_path / "net.onnx", dynamo=False, opset_version=17)
    model = load_model(tmp_path / "net.onnx")
    x = np.random.default_rng(0).normal(size=(16, 3, 6, 6)).astype(np.float32)
    with torch.no_grad():
        assert np.allclose(net(torch.from_numpy(x)).numpy(), float_outputs(model, x), atol=1e-5)
    close(model, 0.1)


def test_brevitas_with_a_gate_and_sums_of_places(tmp_path: Path) -> None:
    import brevitas.nn as qnn
    import torch
    from brevitas.export import export_qonnx
    from brevitas.quant import Int8WeightPerChannelFloat, ShiftedUint8ActPerTensorFloat
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.input = qnn.QuantIdentity(act_quant=ShiftedUint8ActPerTensorFloat)
            self.conv = qnn.QuantConv2d(3, 4, 3, weight_quant=Int8WeightPerChannelFloat, weight_bit_width=4, bias=True)
            self.before, self.after = qnn.QuantIdentity(bit_width=6), qnn.QuantIdentity(bit_width=5)
            self.end = qnn.QuantLinear(4, 3, bias=False, weight_bit_width=4)

        def forward(self, x: Any) -> Any:
            x = self.after(nn.functional.silu(self.before(self.conv(self.input(x)))))
            return self.end(x.sum((2, 3)))

    torch.manual_seed(0)
    net = Net()
    net(torch.randn(32, 3, 6, 6))
    net.eval()
    export_qonnx(net, args=torch.zeros(1, 3, 6, 6), export_path=str(tmp_path / "net.onnx"), dynamo=False)
    low = exact(load_model(tmp_path / "net.onnx"))
    x = random_inputs(low.net, ROWS, seed=5)
    rows = low.to_onnx(low.net.input.type.real(x)).astype(np.float32)
    with torch.no_grad():
        logits = net(torch.from_numpy(rows)).numpy()
    assert (np.rint(logits / np.asarray(low.net.output.type.scale)) == execute(low.net, x)).all()
