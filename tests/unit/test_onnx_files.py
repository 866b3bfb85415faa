"""Hostile and damaged ONNX files: exit code 2 and a message that names the remedy, no traceback, memory bounded."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bitsmith.flows.cli import main
from bitsmith.models.ir import InputError
from bitsmith.models.lower.onnx.io import check_model, load_model

QONNX = "qonnx.custom_op.general"


def quant(source: str, name: str, scale: float = 0.25, bits: int = 4) -> list[onnx.NodeProto]:
    values = {"scale": scale, "zero": 0.0, "bits": float(bits)}
    constants = [
        helper.make_node("Constant", [], [f"{name}_{k}"], value=numpy_helper.from_array(np.asarray(v, np.float32)))
        for k, v in values.items()
    ]
    given = [source, *(f"{name}_{k}" for k in values)]
    return [*constants, helper.make_node("Quant", given, [name], domain=QONNX, signed=1, narrow=0)]


def model(
    nodes: list[onnx.NodeProto],
    initializers: dict[str, np.ndarray] | None = None,
    shape: tuple[int | str, ...] = (1, 4),
    opset: int = 13,
    output: str = "y",
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(v, k) for k, v in (initializers or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(QONNX, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def good() -> onnx.ModelProto:
    weight = np.array([[1, -1], [0, 1], [1, 0], [-1, 1]], np.float32)
    return model([*quant("x", "q"), helper.make_node("MatMul", ["q", "w"], ["y"])], {"w": weight})


def too_new(path: Path) -> None:
    proto = good()
    proto.opset_import[0].version = 99
    path.write_bytes(proto.SerializeToString())


def newer_ir(path: Path) -> None:
    proto = good()
    proto.ir_version = 99
    path.write_bytes(proto.SerializeToString())


def no_external_data(path: Path) -> None:
    proto = good()
    onnx.save_model(proto, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    path.with_name("weights.bin").unlink()


def short_external_data(path: Path) -> None:
    onnx.save_model(good(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    path.with_name("weights.bin").write_bytes(b"1234")


def external_data_elsewhere(path: Path) -> None:
    proto = good()
    weight = proto.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../../../../etc/hostname")
    path.write_bytes(proto.SerializeToString())


def dynamic_shape(path: Path) -> None:
    path.write_bytes(model([helper.make_node("Relu", ["x"], ["y"])], shape=(1, "length")).SerializeToString())


def unknown_op(path: Path) -> None:
    nodes = [*quant("x", "q"), helper.make_node("Frobnicate", ["q"], ["y"], name="odd", domain="com.example")]
    path.write_bytes(model(nodes).SerializeToString())


def cycle(path: Path) -> None:
    nodes = [helper.make_node("Add", ["x", "b"], ["a"], name="first"), helper.make_node("Relu", ["a"], ["b"])]
    path.write_bytes(model([*nodes, helper.make_node("Relu", ["b"], ["y"])]).SerializeToString())


def two_gigabytes_claimed(path: Path) -> None:
    proto = good()
    proto.graph.initializer[0].dims[:] = [1 << 14, 1 << 15]
    path.write_bytes(proto.SerializeToString())
    assert path.stat().st_size < 1024


def claim_within_bounds(path: Path) -> None:
    proto = good()
    proto.graph.initializer[0].dims[:] = [1 << 12, 1 << 12]
    path.write_bytes(proto.SerializeToString())


def large_fill(path: Path) -> None:
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["w"], name="fill"),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    path.write_bytes(model(nodes, {"size": np.array([1 << 14, 1 << 15], np.int64)}).SerializeToString())


def large_input(path: Path) -> None:
    path.write_bytes(model([helper.make_node("Relu", ["x"], ["y"])], shape=(1, 1 << 15, 1 << 15)).SerializeToString())


def truncated(path: Path) -> None:
    path.write_bytes(good().SerializeToString()[:-40])


def length_beyond_the_file(path: Path) -> None:
    path.write_bytes(b"\x3a\xff\xff\xff\xff\x07" + good().SerializeToString()[:200])  # graph of 2 GiB in 200 bytes


def empty(path: Path) -> None:
    path.write_bytes(b"")


def no_model(path: Path) -> None:
    path.write_text("this is no model\n" * 20)


def undefined_value(path: Path) -> None:
    path.write_bytes(model([helper.make_node("Add", ["x", "nowhere"], ["y"])]).SerializeToString())


def two_inputs(path: Path) -> None:
    proto = good()
    proto.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 4]))
    path.write_bytes(proto.SerializeToString())


def float_weights(path: Path) -> None:
    weight = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    path.write_bytes(model([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": weight}).SerializeToString())


def nan_weights(path: Path) -> None:
    weight = np.full((4, 2), np.nan, np.float32)
    path.write_bytes(model([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": weight}).SerializeToString())


CASES: dict[Callable[[Path], None], tuple[str, ...]] = {
    too_new: ("opset 99 is newer than opset", "opset_version="),
    newer_ir: ("IR version 99 is newer", "model.ir_version ="),
    no_external_data: ("'weights.bin', which is not there", "save the model with its weights inside"),
    short_external_data: ("weights.bin is too short", "copy it anew"),
    external_data_elsewhere: ("which is not there",),
    dynamic_shape: ("(1, length)", "fixed input shape"),
    unknown_op: ("odd (com.example.Frobnicate): has no meaning in a net", "replace it by supported ops"),
    cycle: ("the graph has a cycle through first", "export it anew"),
    two_gigabytes_claimed: ("claims the shape (16384, 32768)", "damaged"),
    claim_within_bounds: ("claims 16,777,216 elements and holds 32 bytes", "truncated or damaged"),
    large_fill: ("makes a tensor of 536,870,912 elements", "damaged"),
    large_input: ("claims the shape (1, 32768, 32768)", "damaged"),
    truncated: ("truncated or damaged", "copy it anew"),
    length_beyond_the_file: ("truncated or damaged", "copy it anew"),
    empty: ("holds no graph", "export the model anew"),
    no_model: ("model.onnx",),
    undefined_value: ("nobody defines the value 'nowhere'", "export it anew"),
    two_inputs: ("2 inputs and 1 outputs", "concatenate"),
    float_weights: ("has float weights", "--bits W8A8"),
    nan_weights: ("NaN or infinite weights", "train again"),
}


@pytest.mark.parametrize("make", CASES, ids=lambda f: f.__name__)
def test_a_bad_file_is_named_with_its_remedy(
    make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "model.onnx")
    assert main(["import", "model.onnx", "--json"]) == 2
    streams = capsys.readouterr()
    assert streams.out == "" and "Traceback" not in streams.err
    for part in CASES[make]:
        assert part in streams.err, streams.err


def test_the_good_model_of_these_tests_is_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.onnx").write_bytes(good().SerializeToString())
    assert main(["import", "model.onnx", "--json"]) == 0


@pytest.mark.parametrize("make", [two_gigabytes_claimed, large_fill, length_beyond_the_file], ids=lambda f: f.__name__)
def test_a_claim_of_two_gigabytes_takes_no_memory(make: Callable[[Path], None], tmp_path: Path) -> None:
    """The same in a process whose data may grow to 1 GiB: what it would allocate for the claim is twice that."""
    make(tmp_path / "model.onnx")
    run = subprocess.run(
        [sys.executable, "-m", "bitsmith", "import", "model.onnx", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (1 << 30, 1 << 30)),
    )
    assert run.returncode == 2, run.stderr
    assert "damaged" in run.stderr and "MemoryError" not in run.stderr


def test_external_data_beside_the_model_are_read(tmp_path: Path) -> None:
    onnx.save_model(good(), tmp_path / "m.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    loaded = load_model(tmp_path / "m.onnx")
    assert (
        numpy_helper.to_array(loaded.proto.graph.initializer[0]) == numpy_helper.to_array(good().graph.initializer[0])
    ).all()


def test_a_subgraph_is_checked_too() -> None:
    inner = helper.make_graph([helper.make_node("Identity", ["t"], ["u"])], "inner", [], [])
    inner.initializer.append(TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[1 << 20, 1 << 20]))
    node = helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)
    with pytest.raises(InputError, match="claims the shape"):
        check_model(model([node]), "nested")
