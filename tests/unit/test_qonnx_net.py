"""``decode`` reads the graph that is there: an edit changes the net, a change of structure ends the inverse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest

from bitsmith.hls.backends.qonnx.encode import encode
from bitsmith.models.ir import NetBuilder, Overflow, QNet, QuantType, Rounding, content_hash
from bitsmith.models.ir.ops import Add, Conv, Dense, Lut, Op, Requant, Thresholds
from bitsmith.models.lower.exported.net import decode


@pytest.fixture
def net(rng: np.random.Generator) -> QNet:
    b = NetBuilder("net")
    x = b.input("x", (6, 2), QuantType(4, True, 0.25))
    x = b.conv("conv", x, rng.integers(-3, 4, (3, 2, 3)), [1, 2, 3], 0.5)
    x = b.requant("q", x, 0.7, -8, 7, 3, mult=[1, 2, 3], add=5)
    x = b.thresholds("levels", x, 0.7, [[-3, 0, 2]])
    x = b.lut("table", b.add("sum", [x, x], 0.7, [1, 1]), 0.7, np.arange(9), 0)
    x = b.dense("fc", b.reshape("flat", x, (12,)), rng.integers(-3, 4, (12, 2)), scale=0.1)
    return b.build(b.requant("out", x, 0.3, 0, 15, 2, overflow=Overflow.SATURATE), "sigmoid")


def edit(model: Any, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    (tensor,) = [t for t in model.graph.initializer if t.name == name]
    values = onnx.numpy_helper.to_array(tensor)
    tensor.CopyFrom(onnx.numpy_helper.from_array(change(values.copy()).astype(values.dtype), name))


def node(model: Any, output: str) -> Any:
    (found,) = [n for n in model.graph.node if output in n.output]
    return found


def set_attribute(model: Any, output: str, name: str, value: Any) -> None:
    (attribute,) = [a for a in node(model, output).attribute if a.name == name]
    attribute.CopyFrom(onnx.helper.make_attribute(name, value))


def annotate(model: Any, tensor: str, key: str, value: str) -> None:
    (entry,) = [e for e in model.graph.quantization_annotation if e.tensor_name == tensor]
    (pair,) = [p for p in entry.quant_parameter_tensor_names if p.key == key]
    pair.value = value


def test_it_comes_back_the_same_even_through_bytes(net: QNet) -> None:
    back = decode(onnx.load_from_string(encode(net).SerializeToString()))
    assert back is not None and content_hash(back) == content_hash(net) and back.name == "net"


def first(values: np.ndarray) -> np.ndarray:
    values.flat[0] = 2 if values.flat[0] != 2 else 1
    return values


EDITS: dict[str, tuple[Callable[[Any], None], str, Callable[[Any], Any], Any]] = {
    "weight": (lambda m: edit(m, "fc.weight.integers", first), "fc", lambda op: op.weight[0, 0] in (1, 2), True),
    "conv weight": (lambda m: edit(m, "conv.weight.integers", lambda w: w * 0), "conv", lambda op: op.weight.max(), 0),
    "bias": (lambda m: edit(m, "conv.bias.integers", lambda b: b - 1), "conv", lambda op: op.bias.tolist(), [0, 1, 2]),
    "multiplier": (
        lambda m: edit(m, "q.scaled.by.integers", lambda v: v[::-1].copy()), "q", lambda op: op.mult.tolist(), [3, 2, 1]
    ),
    "threshold": (
        lambda m: edit(m, "levels.thresholds", lambda t: t + np.array([0, 1, 0])), "levels",
        lambda op: op.thresholds.tolist(), [[-3, 1, 2]],
    ),
    "table": (lambda m: edit(m, "table.table", first), "table", lambda op: int(op.table[0]), 2),
    "input scale": (
        lambda m: (edit(m, "x.scale", lambda s: s * 0 + 1.5), edit(m, "x.steps.by", lambda s: s * 0 + 1.5),
                   edit(m, "conv.scale", lambda s: s * 0 + 0.75)),
        "x", lambda op: op.type.scale, 1.5,
    ),
    "inner scale": (lambda m: edit(m, "q.scale", lambda s: s * 0 + 0.9), "q", lambda op: op.type.scale, 0.9),
    "output scale": (
        lambda m: (edit(m, "out.scale", lambda s: s * 2), edit(m, "out.result.by", lambda s: s * 2)),
        "out", lambda op: op.type.scale, 0.6,
    ),
    "rounding": (
        lambda m: set_attribute(m, "out", "rounding_mode", "FLOOR"), "out", lambda op: op.rounding, Rounding.FLOOR
    ),
    "bits": (lambda m: edit(m, "out.bits", lambda v: v - 1), "out", lambda op: (op.lo, op.hi), (0, 7)),
    "shift": (
        lambda m: (edit(m, "q.shifted.by.real", lambda v: v / 2), edit(m, "q.shifted.by.step", lambda v: v / 2)),
        "q", lambda op: op.shift, 4,
    ),
    "type": (lambda m: annotate(m, "out", "finn_datatype", "INT7"), "out", lambda op: op.type.bits, 7),
}  # fmt: skip


@pytest.mark.parametrize("what", EDITS)
def test_an_edited_graph_gives_the_edited_net(net: QNet, what: str) -> None:
    change, op, look, expected = EDITS[what]
    model = encode(net)
    change(model)
    back = decode(model)
    assert back is not None
    assert look(back[op]) == expected
    assert content_hash(back) != content_hash(net)


def _insert_relu(model: Any) -> None:
    node(model, "levels").input[0] = "q.positive"
    index = next(i for i, n in enumerate(model.graph.node) if "q" in n.output)
    model.graph.node.insert(index + 1, onnx.helper.make_node("Relu", ["q"], ["q.positive"]))


def _second_output(model: Any) -> None:
    model.graph.output.append(onnx.helper.make_tensor_value_info("q", 1, [1, 3, 4]))


BROKEN: dict[str, Callable[[Any], Any]] = {
    "another producer": lambda m: setattr(m, "producer_name", "pytorch"),
    "another dialect": lambda m: setattr(m.metadata_props[0], "value", "2"),
    "no metadata": lambda m: m.ClearField("metadata_props"),
    "unknown head": lambda m: setattr(m.metadata_props[1], "value", "tanh"),
    "another opset": lambda m: setattr(m.opset_import[0], "version", 11),
    "another node between": _insert_relu,
    "two outputs": _second_output,
    "output before the end": lambda m: setattr(m.graph.output[0], "name", "out"),
    "node gone": lambda m: m.graph.node.remove(node(m, "q.moved")),
    "another op": lambda m: setattr(node(m, "fc"), "op_type", "Gemm"),
    "another domain": lambda m: setattr(node(m, "q"), "domain", "onnx.brevitas"),
    "another attribute": lambda m: node(m, "conv").attribute.append(onnx.helper.make_attribute("auto_pad", "VALID")),
    "another rounding": lambda m: set_attribute(m, "out", "rounding_mode", "CEIL"),
    "zero point": lambda m: edit(m, "q.zero", lambda v: v + 1),
    "fraction in a weight": lambda m: edit(m, "fc.weight.integers", lambda w: w + 0.5),
    "weight beyond its Quant": lambda m: edit(m, "fc.weight.integers", lambda w: w + 100),
    "shift that is no power of two": lambda m: edit(m, "q.shifted.by.step", lambda v: v * 0.75),
    "thresholds out of order": lambda m: edit(m, "levels.thresholds", lambda t: t[:, ::-1].copy()),
    "thresholds not finite": lambda m: edit(m, "levels.thresholds", lambda t: np.full_like(t, np.inf)),
    "scales that do not agree": lambda m: edit(m, "conv.scale", lambda s: s * 2),
    "scale that the graph does not use": lambda m: edit(m, "x.steps.by", lambda s: s * 2),
    "no number type": lambda m: m.graph.ClearField("quantization_annotation"),
    "type too narrow": lambda m: annotate(m, "fc", "finn_datatype", "INT2"),
    "type of no integers": lambda m: annotate(m, "fc", "finn_datatype", "FLOAT32"),
    "scale tensor missing": lambda m: annotate(m, "q", "SCALE_TENSOR", "nowhere"),
    "input of no shape": lambda m: m.graph.input[0].type.tensor_type.ClearField("shape"),
    "table too short": lambda m: edit(m, "table.table", lambda t: t[:3]),
}


@pytest.mark.parametrize("what", BROKEN)
def test_another_structure_is_not_read(net: QNet, what: str) -> None:
    model = encode(net)
    BROKEN[what](model)
    assert decode(model) is None


def test_a_free_batch_is_fine(net: QNet) -> None:
    model = encode(net)
    for info in (*model.graph.input, *model.graph.output):
        info.type.tensor_type.shape.dim[0].dim_param = "n"
    assert decode(model) is not None


def test_what_is_left_out_comes_back() -> None:
    """Factors of 1, addends and biases of 0, scales of 1: not in the graph, but in the net."""
    b = NetBuilder("plain")
    x = b.input("x", (3,), QuantType(3, False))
    x = b.requant("q", b.dense("fc", x, np.eye(3, dtype=int)), 1.0, 0, 7, 0, rounding=Rounding.HALF_UP)
    net = b.build(x)
    model = encode(net)
    assert [n.op_type for n in model.graph.node] == ["Quant", "Quant", "MatMul", "Add", "Quant"]
    back = decode(model)
    assert back is not None and content_hash(back) == content_hash(net)


def test_kinds_that_look_alike_are_told_apart() -> None:
    """A depthwise convolution with ones and a sum; ones per channel and one for all; an Add of one branch."""
    b = NetBuilder("alike")
    x = b.input("x", (4, 2), QuantType(3, True))
    conv = b.conv("conv", x, np.ones((2, 1, 2), int), strides=(2,), groups=2)
    pool = b.pool("pool", x, "sum", (2,))
    both = b.add("both", [conv, pool], 1.0)
    one = b.add("one", [both], 1.0)
    scalar = b.requant("scalar", one, 1.0, -4, 3, 1, mult=3)
    net = b.build(b.requant("row", scalar, 1.0, -4, 3, 0, mult=[1, 1], add=[0, 0]))
    back = decode(encode(net))
    assert back is not None and content_hash(back) == content_hash(net)
    kinds: list[type[Op]] = [Conv, Add, Requant]
    assert [type(back[n]) for n in ("conv", "both", "row")] == kinds
    assert not any(isinstance(op, Dense | Lut | Thresholds) for op in back.ops)
