"""A QONNX export that was changed anywhere is either not read as ours, or read as exactly what it now computes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_qonnx_round_trip import nets

from bitsmith.hls.backends.qonnx.check import find_problems
from bitsmith.hls.backends.qonnx.encode import encode
from bitsmith.hls.backends.qonnx.run import run_file
from bitsmith.models.ir import QNet, execute, random_inputs, to_text
from bitsmith.models.lower.exported.net import decode

Generator = np.random.Generator


def pick(rng: Generator, items: Any) -> Any:
    return items[int(rng.integers(len(items)))]


def constant(graph: Any, rng: Generator) -> None:
    tensor = pick(rng, graph.initializer)
    values = onnx.numpy_helper.to_array(tensor).copy()
    if values.size:
        index = int(rng.integers(values.size))
        old = values.flat[index]
        values.flat[index] = pick(rng, [old + 1, old / 2, -old, old * 2, 3])
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))


def attribute(graph: Any, rng: Generator) -> None:
    attributes = [a for node in graph.node for a in node.attribute]
    if not attributes:
        return
    found = pick(rng, attributes)
    if found.type == onnx.AttributeProto.INT:
        found.i += int(pick(rng, [-1, 1]))
    elif found.type == onnx.AttributeProto.INTS:
        found.ints[int(rng.integers(len(found.ints)))] += int(pick(rng, [-1, 1]))
    elif found.type == onnx.AttributeProto.STRING:
        found.s = pick(rng, [b"ROUND", b"FLOOR", b"CEIL", b"HALF_UP", b"NCHW", b"UINT3"])
    else:
        found.f += float(pick(rng, [-1.0, 0.5, 1.0]))


def gone(graph: Any, rng: Generator) -> None:
    graph.node.remove(pick(rng, graph.node))


def wire(graph: Any, rng: Generator) -> None:
    node = pick(rng, graph.node)
    names = [graph.input[0].name, *(t.name for t in graph.initializer), *(o for n in graph.node for o in n.output)]
    node.input[int(rng.integers(len(node.input)))] = pick(rng, names)


def swap(graph: Any, rng: Generator) -> None:
    node = pick(rng, graph.node)
    node.input[0], node.input[-1] = node.input[-1], node.input[0]


def annotation(graph: Any, rng: Generator) -> None:
    pair = pick(rng, pick(rng, graph.quantization_annotation).quant_parameter_tensor_names)
    pair.value = pick(rng, ["INT4", "UINT8", "INT20", "FLOAT32", "nowhere"])


def kind(graph: Any, rng: Generator) -> None:
    pick(rng, graph.node).op_type = pick(rng, ["Add", "Sub", "Mul", "Div", "Max", "Relu", "Quant", "Clip", "MaxPool"])


def order(graph: Any, rng: Generator) -> None:
    a, b = pick(rng, graph.node), pick(rng, graph.node)
    first, second = onnx.NodeProto(), onnx.NodeProto()
    first.CopyFrom(a)
    second.CopyFrom(b)
    a.CopyFrom(second)
    b.CopyFrom(first)


CHANGES: tuple[Callable[[Any, Generator], None], ...] = (
    constant,
    attribute,
    gone,
    wire,
    swap,
    annotation,
    kind,
    order,
)


@given(net=nets(), change=st.sampled_from(CHANGES), seed=st.integers(0, 2**32))
@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@pytest.mark.filterwarnings("ignore")
def test_what_is_read_is_what_it_computes(net: QNet, change: Any, seed: int, tmp_path: Path) -> None:
    model = encode(net)
    change(model.graph, np.random.default_rng(seed))
    back = decode(model)
    if back is None or find_problems(back):
        return
    file = tmp_path / "model.onnx"
    file.write_bytes(model.SerializeToString())
    x = random_inputs(back, 6, seed=1)
    outputs, _ = run_file(file, back, x, taps=False)
    assert (outputs == execute(back, x)).all(), to_text(back)
