"""Training in Brevitas: what comes out, that it comes out twice, and that its net has the same integers."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from brevitas_nets import SPECS, integers, rows

from bitsmith.models.data import Dataset, load
from bitsmith.models.ir.errors import InputError, ToolError
from bitsmith.models.train.brevitas import (
    TrainResult,
    load_brevitas,
    outputs,
    sparsity,
    train,
)
from bitsmith.models.train.settings import TrainSettings
from bitsmith.models.zoo import task_path
from bitsmith.models.zoo.spec import NetSpec

pytestmark = pytest.mark.skipif(find_spec("brevitas") is None, reason="Brevitas is not installed")

SHORT = TrainSettings(framework="brevitas", float_epochs=3, epochs=6, batch_size=32, final_sparsity=0.6)


@cache
def task(name: str) -> tuple[NetSpec, TrainSettings]:
    config = tomllib.loads(task_path(name).read_text())
    settings = TrainSettings.model_validate(config["train"]).model_copy(update={"framework": "brevitas"})
    return NetSpec.model_validate(config["net"]), settings


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


@pytest.fixture(scope="module")
def trained(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    spec, _ = task("digits")
    return train(spec, digits, SHORT, tmp_path_factory.mktemp("digits"), progress=False)


def test_the_file_is_one_input_of_data_and_one_output(trained: TrainResult):
    import onnx

    model = onnx.load(trained.model_path)
    onnx.checker.check_model(model)
    sizes = {value.name: [d.dim_value for d in value.type.tensor_type.shape.dim] for value in model.graph.input}
    held = {tensor.name for tensor in model.graph.initializer}
    assert {name: size for name, size in sizes.items() if name not in held} == {"input": [1, 8, 8, 1]}
    assert [value.name for value in model.graph.output] == ["logits"]
    assert {node.domain for node in model.graph.node if "Quant" in node.op_type} == {"qonnx.custom_op.general"}
    names = [node.name for node in model.graph.node if "Quant" not in node.op_type]
    assert names == ["flatten_1", "hidden", "hidden_act", "logits"]  # the two permutes cancel


def test_a_short_training_learns_and_prunes(trained: TrainResult, digits: Dataset):
    spec, _ = task("digits")
    assert trained.accuracy_quantized >= 0.9
    model = load_brevitas(spec, trained.model_path.with_suffix(".pt"))
    assert (outputs(model, digits.x_test).argmax(axis=1) == digits.y_test).mean() == trained.accuracy_quantized
    assert sparsity(model) == trained.sparsity >= 0.6
    for node in (n for n in model.plan if n.name in ("hidden", "logits")):
        weight = model.modules_of(node).dense.weight.detach().numpy()
        assert abs((weight == 0).mean() - 0.6) < 0.5 / weight.size + 1e-6
    assert [epoch.stage for epoch in trained.history] == ["float"] * 3 + ["quantized"] * 6
    assert trained.weights == 64 * 40 + 40 * 10


def test_one_seed_gives_one_file_whatever_the_test_part_says(trained: TrainResult, digits: Dataset, tmp_path: Path):
    spec, _ = task("digits")
    other = replace(digits, x_test=1 - digits.x_test, y_test=np.roll(digits.y_test, 1))
    second = train(spec, other, SHORT, tmp_path / "b", progress=False)
    third = train(spec, digits, SHORT.model_copy(update={"seed": 1}), tmp_path / "c", progress=False)
    assert trained.history == second.history != third.history
    first_file, second_file, third_file = (r.model_path.read_bytes() for r in (trained, second, third))
    assert first_file == second_file != third_file
    assert second.accuracy_quantized < trained.accuracy_quantized


def test_the_residual_task_learns_its_scales(digits: Dataset, tmp_path: Path):
    spec, settings = task("digits_residual")
    settings = settings.model_copy(update={"float_epochs": 4, "epochs": 8, "prune_end": 0.25})
    result = train(spec, digits, settings, tmp_path, progress=False)
    assert result.accuracy_quantized >= 0.93 and result.sparsity >= 0.5
    got, expected = integers(spec, tmp_path, digits.x_test)
    assert (got == expected).all() and len(got) == 360


@pytest.mark.parametrize("name", ["every kind", "single bits"])
def test_nets_of_every_kind_train(name: str, tmp_path: Path, rng: np.random.Generator):
    spec = SPECS[name]
    x, y = rows(spec, rng, 40), np.arange(40) % 3
    data = Dataset("noise", x, y, x, y, ("a", "b", "c"), "random")
    settings = TrainSettings(framework="brevitas", float_epochs=1, epochs=1, batch_size=16, prune_end=0.0)
    result = train(spec, data, settings, tmp_path, progress=False)
    assert result.sparsity >= 0.49 if name == "every kind" else result.sparsity == 0.0  # a sign has no zero


def test_the_setting_chooses_the_framework(digits: Dataset, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    from bitsmith.models.train import train as train_in_any

    settings = TrainSettings(framework="brevitas", float_epochs=1, epochs=1, final_sparsity=0.0, batch_size=512)
    result = train_in_any(task("digits")[0], digits, settings, tmp_path)
    assert result.model_path == tmp_path / "model.onnx" and result.model_path.is_file()
    told = capfd.readouterr()
    assert "digits quantized" in told.err and "2/2" in told.err and told.out == "" and "Warning" not in told.err


def test_weights_of_another_net_or_no_weights_are_named(trained: TrainResult, tmp_path: Path):
    import torch

    jets, _ = task("jets")
    with pytest.raises(InputError, match=r"model\.pt: holds no weights of this net .*; give the model\.pt trained"):
        load_brevitas(jets, trained.model_path.with_suffix(".pt"))
    with pytest.raises(InputError, match=r"missing\.pt: cannot be read"):
        load_brevitas(jets, tmp_path / "missing.pt")
    torch.save(Path("/"), tmp_path / "object.pt")  # a pickled object of any class must not be restored
    with pytest.raises(InputError, match=r"object\.pt: holds no weights"):
        load_brevitas(jets, tmp_path / "object.pt")


def test_an_unwritable_folder_is_named(digits: Dataset, tmp_path: Path):
    (tmp_path / "file").write_text("")
    settings = TrainSettings(framework="brevitas", float_epochs=1, epochs=1, final_sparsity=0.0, batch_size=512)
    with pytest.raises(InputError, match="choose another output folder"):
        train(task("digits")[0], digits, settings, tmp_path / "file", progress=False)


def test_a_missing_brevitas_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    from bitsmith.models.train.torch_framework import framework

    monkeypatch.setitem(sys.modules, "brevitas.nn", None)
    with pytest.raises(ToolError, match=r"pip install torch==2\.13\.0, then pip install 'bitsmith\[brevitas\]'"):
        framework.__wrapped__()


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["digits", "digits_residual"])
def test_the_digits_tasks_meet_their_goal(name: str, digits: Dataset, tmp_path: Path):
    spec, settings = task(name)
    result = train(spec, digits, settings, tmp_path, progress=False)
    assert result.accuracy_quantized >= 0.96 and result.sparsity >= 0.5
    got, expected = integers(spec, tmp_path, digits.x_test)
    assert (got == expected).all()


@pytest.mark.nightly
def test_mnist_residual_meets_its_goal(data_dir: Path, tmp_path: Path):
    spec, settings = task("mnist_residual")
    mnist = load("mnist", data_dir)
    result = train(spec, mnist, settings, tmp_path, progress=False)
    assert result.accuracy_quantized >= 0.96 and result.sparsity >= 0.85
    got, expected = integers(spec, tmp_path, mnist.x_test)
    assert (got == expected).all()
