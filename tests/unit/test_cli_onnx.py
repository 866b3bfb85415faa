"""ONNX files and PyTorch training on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest
from onnx_nets import Graph

from bitsmith.flows.cli import main
from bitsmith.models.ir import content_hash, load

TASK = """
[data]
name = "digits"
[net]
input = { shape = [8, 8, 1], bits = 3 }
weight_bits = 3
weight_scales = "channel"
activation_bits = 4
activation_scales = "tensor"
batchnorm = true
layers = [
  { kind = "flatten" },
  { kind = "dense", name = "hidden", units = 12 },
  { kind = "dense", name = "logits", units = 10 }]
[train]
framework = "brevitas"
float_epochs = 2
epochs = 3
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BITSMITH_DATA", raising=False)


def result(capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> dict:
    assert main([*argv, "--json"]) == code
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def file(tmp_path: Path) -> str:
    g = Graph(2, 5, 5)
    x = g.node("Conv", g.quant("x", 0.25, 4), g.weight(3, 2, 2, 2, scale=0.3), kernel_shape=[2, 2])
    x = g.node("Flatten", g.quant(g.node("Relu", x), 0.4, 3, signed=0))
    onnx.save(g.model(g.node("MatMul", x, g.weight(48, 4, scale=0.2))).proto, "net.onnx")
    return "net.onnx"


def test_import(capsys, file: str) -> None:
    data = result(capsys, "import", file, "--out", "run")
    assert data["exact"] and data["samples"] == 1000 and data["framework"] == "qonnx"
    assert [op["kind"] for op in data["ops"]][:2] == ["input", "conv"]
    assert data["net"] == "run/net" and content_hash(load(Path("run/net"))) == data["net_sha256"]
    assert main(["import", file, "--out", "run"]) == 0
    assert "exact: the net gives the integers of qonnx on all of 1000 rows" in capsys.readouterr().out


def test_a_file_goes_on_to_firmware_and_back(capsys, file: str) -> None:
    assert result(capsys, "estimate", file, "--board", "ulx3s-85f")["fits"]
    result(capsys, "emit", file, "--backend", "qonnx", "--out", "exported")
    assert result(capsys, "verify", "exported")["exact"]
    first = result(capsys, "import", file, "--out", "a")["net_sha256"]
    again = result(capsys, "import", "exported/model.onnx", "--out", "b")
    assert again["net_sha256"] == first and again["exact"]


def test_an_exchange_format_has_no_price(capsys, file: str) -> None:
    assert main(["estimate", file, "--backend", "qonnx"]) == 2
    assert "bitsmith emit --backend qonnx" in capsys.readouterr().err


def test_a_task_in_pytorch(capsys) -> None:
    Path("small.toml").write_text(TASK)
    trained = result(capsys, "train", "small.toml", "--out", "run")
    assert trained["exact"] and trained["samples"] == 360 and trained["framework"] == "Brevitas"
    assert trained["accuracy_net"] == trained["accuracy_quantized"]
    assert {p.name for p in Path("run").iterdir()} >= {"model.onnx", "model.pt", "net", "config.toml"}
    imported = result(capsys, "import", "run/model.onnx", "--dataset", "digits", "--out", "again")
    assert imported["exact"] and imported["framework"] == "qonnx"
    assert imported["net_sha256"] == trained["net_sha256"]


def test_the_framework_may_be_chosen(capsys) -> None:
    Path("small.toml").write_text(TASK.replace('"tensor"', '"fixed"').replace('"channel"', '"fixed"'))
    a = result(capsys, "train", "small.toml", "--framework", "qkeras", "--out", "a")
    b = result(capsys, "train", "small.toml", "--out", "b")
    assert (a["framework"], b["framework"]) == ("QKeras", "Brevitas") and a["exact"] and b["exact"]
    assert [op["shape"] for op in a["ops"]][-1] == [op["shape"] for op in b["ops"]][-1]


def test_rows_that_float32_decides_are_counted(capsys) -> None:
    g = Graph(4)
    x = g.quant("x", 0.3, 4)
    y = g.quant(g.node("MatMul", x, g.weight(4, 4)), 0.3, 4)
    onnx.save(g.model(g.quant(g.node("Add", x, y), 0.6, 4)).proto, "ties.onnx")
    data = result(capsys, "import", "ties.onnx")
    assert data["exact"] and data["rows_different"] == 0 and data["rows_float32_noise"] > 0
    assert main(["import", "ties.onnx"]) == 0
    assert "float32 sums round the other way" in capsys.readouterr().out


def test_a_dataset_of_another_shape_is_named(capsys, file: str) -> None:
    assert main(["import", file, "--dataset", "digits", "--out", "c"]) == 2
    assert "takes rows of shape (5, 5, 2), the data have (8, 8, 1)" in capsys.readouterr().err


def test_options_that_do_not_suit_the_model_are_refused(capsys, file: str) -> None:
    assert main(["import", file, "--framework", "brevitas", "--out", "d"]) == 2
    assert "trained already: leave it out" in capsys.readouterr().err
    result(capsys, "import", file, "--out", "e")
    assert main(["import", "e/net", "--bits", "W8A8", "--out", "f"]) == 2
    assert "a net of integers already" in capsys.readouterr().err
