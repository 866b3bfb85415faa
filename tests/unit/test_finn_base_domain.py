"""Models as finn-base saved them: its ops under ``finn.custom_op.general``, before they were called qonnx's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bitsmith.models.ir import QNet, execute, quantize_input, real_output
from bitsmith.models.lower.qonnx import load_model, lower

DOMAIN = "finn.custom_op.general"


def save(path: Path, nodes: list[Any], constants: dict[str, np.ndarray], shape: tuple[int, int], outs: int) -> Path:
    """A model of opset 11 with finn-base's domain, the version of its last release."""
    values = [numpy_helper.from_array(np.asarray(v, np.float32), k) for k, v in constants.items()]
    graph = helper.make_graph(
        nodes,
        "finn_base",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [shape[0], outs])],
        values,
    )
    note = onnx.TensorAnnotation(tensor_name="x")
    note.quant_parameter_tensor_names.append(onnx.StringStringEntryProto(key="finn_datatype", value="INT4"))
    graph.quantization_annotation.append(note)
    opsets = [helper.make_opsetid("", 11), helper.make_opsetid(DOMAIN, 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=7), str(path))
    return path


def test_multithreshold_of_finn_base(tmp_path: Path, rng: np.random.Generator) -> None:
    weight = rng.integers(-2, 2, (6, 4))
    levels = np.sort(rng.integers(-20, 20, (4, 3)), axis=1)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node(
            "MultiThreshold", ["h", "t"], ["y"], domain=DOMAIN, out_dtype="INT2", out_scale=1.0, out_bias=-2.0
        ),
    ]
    net = lower(load_model(save(tmp_path / "m.onnx", nodes, {"w": weight, "t": levels}, (1, 6), 4)), name="finn_base")
    x = rng.integers(-8, 8, (500, 6))
    assert (net.input.lo, net.input.hi) == (-8, 7), "the datatype beside the input is read"
    expected = ((x @ weight)[:, :, None] >= levels[None]).sum(axis=2) - 2
    assert (execute(net, x) == expected).all()


def quantized(path: Path, domain: str) -> QNet:
    """A dense layer between two quantizers with real scales, all under one domain."""
    rng = np.random.default_rng(12)
    constants = {"w": rng.normal(0, 0.3, (6, 4)), "sx": 0.25, "sw": 0.1, "sy": 0.5, "z": 0.0, "b4": 4.0, "b3": 3.0}

    def quant(source: str, scale: str, bits: str, out: str) -> Any:
        inputs = [source, scale, "z", bits]
        return helper.make_node("Quant", inputs, [out], domain=domain, signed=1, narrow=0, rounding_mode="ROUND")

    nodes = [
        quant("x", "sx", "b4", "qx"),
        quant("w", "sw", "b3", "qw"),
        helper.make_node("MatMul", ["qx", "qw"], ["h"]),
        quant("h", "sy", "b4", "y"),
    ]
    save(path, nodes, constants, (1, 6), 4)
    if domain != DOMAIN:
        model = onnx.load(str(path))
        model.opset_import[1].domain = domain
        onnx.save(model, str(path))
    return lower(load_model(path), name="quants")


@pytest.mark.parametrize("domain", ["qonnx.custom_op.general", "onnx.brevitas"])
def test_one_op_under_three_names(domain: str, tmp_path: Path, rng: np.random.Generator) -> None:
    old, new = quantized(tmp_path / "old.onnx", DOMAIN), quantized(tmp_path / "new.onnx", domain)
    x = rng.normal(0, 1, (200, 6))
    ours = real_output(old, execute(old, quantize_input(old, x)))
    assert (ours == real_output(new, execute(new, quantize_input(new, x)))).all()
    assert len(np.unique(ours)) > 4
