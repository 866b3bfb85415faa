"""The qonnx backend: the written file, read and run as others would; what it refuses; what it says when it fails."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from bitsmith.hls.backends.onnx_graph import GraphWriter
from bitsmith.hls.backends.qonnx.backend import QonnxBackend
from bitsmith.hls.backends.qonnx.check import find_problems
from bitsmith.hls.backends.qonnx.encode import encode
from bitsmith.hls.backends.qonnx.float32 import float32_form
from bitsmith.hls.backends.qonnx.readme import hls4ml_precision
from bitsmith.hls.config import Board, Device, HwConfig
from bitsmith.hls.verify import save_vectors, verify_project
from bitsmith.models.ir import (
    NetBuilder,
    Overflow,
    QNet,
    QuantType,
    Rounding,
    ToolError,
    execute,
    quantize_input,
    random_inputs,
    real_output,
    trace,
)

BOARD = Board("b", "B", Device("d", "xc7", "xc7a35ticsg324-1L", 1, 6, 1, 1, 1, 18.0, "test"), 100.0, "E3", "", "test")
HW = HwConfig(BOARD, 100.0, backend="qonnx")


@pytest.fixture
def net(rng: np.random.Generator) -> QNet:
    """An image, real scales, one per channel; a branch, an average, a head."""
    b = NetBuilder("small")
    x = b.input("image", (6, 5, 2), QuantType(5, True, 0.13), lo=-15, hi=15)
    x = b.conv("conv", x, rng.integers(-4, 4, (3, 3, 2, 3)), [5, 0, -7], (0.1, 0.2, 0.3), pads=((1, 1), (0, 2)))
    x = b.requant("act", x, 0.41, -7, 8, 4, [3, -2, 5], 11, Rounding.HALF_UP)
    y = b.thresholds("levels", x, 0.41, np.sort(rng.integers(-7, 8, (3, 3)), axis=1), base=-1)
    x = b.pool("mean", b.add("sum", [x, y], 0.41), "sum", (2, 2), scale=0.41 / 4)
    x = b.reshape("flat", x, (3 * 2 * 3,))
    return b.build(b.dense("fc", x, rng.integers(-2, 2, (18, 4)), [1, 2, 3, 4], 0.07), "softmax")


def _values(model: Any, net: QNet, real: np.ndarray) -> dict[str, np.ndarray]:
    """All tensors of one row, the file taken as it is; a value outside of its stated type is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        feed = {model.graph.input[0].name: real.astype(np.float32)}
        return execute_onnx(ModelWrapper(model, make_deepcopy=True), feed, return_full_exec_context=True)


def test_the_file_is_valid_and_every_value_fits_its_stated_type(net: QNet) -> None:
    model = encode(net)
    onnx.checker.check_model(model)
    x = random_inputs(net, 12, seed=3)
    inner = trace(net, x)
    for row in range(len(x)):
        values = _values(model, net, net.input.type.real(x[row : row + 1]))
        for op in net.ops:
            assert (np.moveaxis(values[op.name], 1, -1) == inner[op.name][row]).all(), op.name
        real = real_output(replace(net, head="none"), inner["fc"][row : row + 1])
        assert np.allclose(values[model.graph.output[0].name], real, rtol=1e-6)  # float32 against float64


def test_number_types_and_scales_are_annotated(net: QNet) -> None:
    model = ModelWrapper(encode(net))
    assert model.get_tensor_datatype("image") == DataType["INT5"]
    assert model.get_tensor_datatype("conv.weight") == DataType["INT3"]
    assert model.get_tensor_datatype("fc") == DataType[f"INT{net['fc'].type.bits}"]
    scales = {
        entry.tensor_name: model.get_initializer(pair.value)
        for entry in model.graph.quantization_annotation
        for pair in entry.quant_parameter_tensor_names
        if pair.key == "SCALE_TENSOR"
    }
    assert scales["image"].dtype == np.float64 and scales["image"] == 0.13
    assert tuple(scales["conv.weight"]) == (0.1, 0.2, 0.3)
    assert tuple(scales["conv"]) == net["conv"].type.scale


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("overflow", Overflow)
def test_every_tie_of_both_signs(rounding: Rounding, overflow: Overflow, tmp_path: Path) -> None:
    b = NetBuilder("ties")
    x = b.input("x", (1,), QuantType(8, True))
    net = b.build(b.requant("y", x, 1.0, -8, 7, 3, rounding=rounding, overflow=overflow))
    x = np.arange(-128, 128)[:, np.newaxis]
    folder = QonnxBackend().emit(net, HW, tmp_path / "p", x).folder
    assert (QonnxBackend().simulate(folder, net, x, taps=False).outputs == execute(net, x)).all()


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("scale", [1.0, 0.25, 0.3, (0.3, 2.0)])
def test_inputs_off_the_grid_are_quantized_as_quantize_input_does(
    rounding: Rounding, scale: Any, rng: np.random.Generator
) -> None:
    b = NetBuilder("input")
    net = b.build(b.input("x", (2,), QuantType(4, True, scale), lo=-7, hi=6, rounding=rounding))
    model = encode(net)
    for real in rng.uniform(-4, 4, (40, 1, 2)).astype(np.float32):
        assert (_values(model, net, real)["x"] == quantize_input(net, real)).all()


def test_emitted_project_proves_itself(net: QNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = random_inputs(net, 30, seed=5)
    project = QonnxBackend().emit(net, HW, tmp_path / "p", x)
    assert {"model.onnx", "inputs.npy", "outputs.npy", "README.md", "project.json"} <= set(project.files)
    assert (np.load(project.folder / "outputs.npy") == execute(net, x)).all()
    save_vectors(project.folder, x)
    done = verify_project(project.folder, QonnxBackend())
    assert done.exact and done.samples == 1000 and re.fullmatch(r"qonnx \d+\.\d+\.\d+", done.engine)
    assert done.ii_cycles is None and done.latency_cycles is None


def test_a_changed_weight_is_found_and_named(net: QNet, tmp_path: Path) -> None:
    folder = QonnxBackend().emit(net, HW, tmp_path / "p", random_inputs(net, 4, seed=5)).folder
    model = onnx.load(folder / "model.onnx")
    (tensor,) = [t for t in model.graph.initializer if t.name == "conv.weight.integers"]
    values = onnx.numpy_helper.to_array(tensor).copy()
    values.flat[4] = -values.flat[4] - 1
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    onnx.save(model, folder / "model.onnx")
    done = verify_project(folder, QonnxBackend(), samples=50)
    assert not done.exact and done.mismatch is not None and done.mismatch.op == "conv"


def test_the_readme_tells_how_to_run_it(net: QNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = QonnxBackend().emit(net, HW, tmp_path / "p", random_inputs(net, 3, seed=5)).folder
    text = (folder / "README.md").read_text()
    assert "softmax, which is left out" in text and "| fc | dense | 4 |" in text
    snippet = re.findall(r"```python\n(.*?)```", text, flags=re.S)[0]
    assert "assert" in snippet
    monkeypatch.chdir(folder)
    exec(snippet, {})


def test_the_file_is_the_same_every_time(net: QNet, tmp_path: Path) -> None:
    x = random_inputs(net, 3, seed=5)
    files = [QonnxBackend().emit(net, HW, tmp_path / n, x).folder / "model.onnx" for n in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_no_transposes_where_no_op_works_on_places() -> None:
    b = NetBuilder("flat")
    x = b.input("x", (3, 2, 2), QuantType(3, False))
    x = b.thresholds("levels", x, 1.0, [[1, 2], [3, 4]], base=[0, 1])
    x = b.argmax("winner", b.concat("both", [x, x], 1.0))
    net = b.build(b.dense("fc", b.reshape("flat", x, (6,)), np.eye(6, dtype=int)))
    model = encode(net)
    assert "Transpose" not in {n.op_type for n in model.graph.node}
    x = random_inputs(net, 5, seed=2)
    values = [_values(model, net, row[np.newaxis].astype(float))["fc"][0] for row in x]
    assert (np.array(values) == execute(net, x)).all()


def test_the_layout_of_an_image_is_named() -> None:
    b = NetBuilder("image")
    model = ModelWrapper(encode(b.build(b.pad("pad", b.input("x", (3, 4, 2), QuantType(2, False)), ((1, 0), (0, 0))))))
    assert model.get_tensor_layout("x.real") == ["N", "H", "W", "C"]


def _problems(b: NetBuilder, output: str) -> dict[str, str]:
    return {p.op: str(p) for p in QonnxBackend().check(b.build(output), HW)}


def test_what_float32_cannot_carry_is_refused() -> None:
    b = NetBuilder("wide")
    x = b.input("x", (4,), QuantType(8, True))
    y = b.dense("fc", x, np.full((4, 2), 2**15))  # 4 * 128 * 2^15 = 2^24: just possible
    z = b.dense("more", x, np.full((4, 2), 2**15), [1, 0])  # and one more
    found = _problems(b, b.concat("both", [y, z], 1.0))
    assert found.keys() == {"more"} and "2^24" in found["more"] and "requantize" in found["more"]


def test_half_up_needs_room_for_its_half() -> None:
    b = NetBuilder("half")
    x = b.input("x", (1,), QuantType(20, True))
    y = b.requant("even", x, 1.0, -1, 1, 26, rounding=Rounding.HALF_EVEN)
    z = b.requant("up", x, 1.0, -1, 1, 26, rounding=Rounding.HALF_UP)
    net = b.build(b.concat("both", [y, z], 1.0))
    assert {p.op for p in find_problems(net)} == {"up"}
    narrowed = float32_form(net)
    assert [op.kind for op in narrowed.ops] == ["input", "requant", "thresholds", "concat"]
    x_all = np.arange(net.input.lo, net.input.hi + 1, 37)[:, None]
    assert (execute(narrowed, x_all) == execute(net, x_all)).all() and not find_problems(narrowed)


def test_wide_multipliers_are_written_as_thresholds(tmp_path: Path, rng: np.random.Generator) -> None:
    b = NetBuilder("wide_multipliers")
    x = b.dense("fc", b.input("x", (6,), QuantType(8, True)), rng.integers(-7, 8, (6, 3)))
    y = b.requant("falls", x, 1.0, -8, 7, 34, mult=-(2**24) * 5 - np.arange(3), add=2**33 + 5)
    net = b.build(b.requant("rises", y, 1.0, 0, 3, 30, mult=3**18, rounding=Rounding.FLOOR))
    vectors = random_inputs(net, 300, 0)
    backend = QonnxBackend()
    assert backend.check(net, HW) == []
    backend.emit(net, HW, tmp_path, vectors)
    assert (backend.simulate(tmp_path, net, vectors, taps=False).outputs == execute(net, vectors)).all()


def test_other_refusals() -> None:
    b = NetBuilder("many")
    x = b.input("x", (4, 1), QuantType(23, True, 0.3), lo=0, hi=2**22)
    y = b.lut("table", b.requant("few", x, 1.0, 0, 3, 20), 1.0, [0, 1, 2, 2**25], 0)
    z = b.thresholds("levels", y, 1e-45, [[2**30]])
    found = _problems(b, z)
    assert found.keys() == {"x", "table", "levels"}
    assert "21 bits" in found["x"]
    b = NetBuilder("pads")
    x = b.input("x", (4, 1), QuantType(3, True))
    assert "window" in _problems(b, b.pool("max", x, "max", (2,), pads=((0, 2),)))["max"]


def test_the_stated_limit_of_inputs_holds(rng: np.random.Generator, tmp_path: Path) -> None:
    """Every rounding, scales that are no powers of two, integers up to the limit: none falls to its neighbour."""
    for rounding in Rounding:
        b = NetBuilder("edge")
        kind = QuantType(22, True, tuple(float(s) for s in rng.uniform(1e-3, 1e3, 50)))
        net = b.build(b.input("x", (50,), kind, rounding=rounding))
        x = rng.integers(kind.min, kind.max + 1, (200, 50))
        folder = QonnxBackend().emit(net, HW, tmp_path / rounding, x[:1]).folder
        assert (QonnxBackend().simulate(folder, net, x, taps=False).outputs == x).all()


def test_default_precision_for_hls4ml_holds_the_constants() -> None:
    b = NetBuilder("net")
    x = b.input("x", (4,), QuantType(6, True, 2.0**-3))
    x = b.requant("q", x, 0.5, -8, 7, 7, mult=9, add=-100)
    assert hls4ml_precision(b.build(x)) == "fixed<15,8>"  # -100 takes 8 bits, 2^-7 takes 7


def test_failures_are_tool_errors(net: QNet, tmp_path: Path) -> None:
    x = random_inputs(net, 2, seed=1)
    backend = QonnxBackend()
    folder = backend.emit(net, HW, tmp_path / "p", x).folder
    model = onnx.load(folder / "model.onnx")
    model.graph.node[1].op_type = "Unknown"
    onnx.save(model, folder / "model.onnx")
    with pytest.raises(ToolError, match="qonnx cannot run the graph"):
        backend.simulate(folder, net, x, taps=False)
    (folder / "model.onnx").write_bytes(b"no protobuf at all")
    with pytest.raises(ToolError, match="emit the project anew"):
        backend.simulate(folder, net, x, taps=False)
    (folder / "model.onnx").unlink()
    with pytest.raises(ToolError, match=r"model\.onnx"):
        backend.simulate(folder, net, x, taps=False)


def test_no_rows_give_no_rows(net: QNet, tmp_path: Path) -> None:
    folder = QonnxBackend().emit(net, HW, tmp_path / "p", random_inputs(net, 2, seed=1)).folder
    done = QonnxBackend().simulate(folder, net, np.empty((0, *net.input.shape), np.int64), taps=True)
    assert done.outputs.shape == (0, 4) and done.values["conv"].shape == (0, *net["conv"].shape)


def test_a_constant_that_would_be_rounded_is_no_constant() -> None:
    with pytest.raises(ValueError, match="exactly"):
        GraphWriter("g").constant("c", [2**24 + 1])
