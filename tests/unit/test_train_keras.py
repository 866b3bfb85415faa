"""Training in QKeras: what comes out, that it comes out twice, and that the test part is not looked at."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from bitsmith.models.data import Dataset, load
from bitsmith.models.ir.errors import InputError
from bitsmith.models.train.keras import QKeras, TrainResult, build_qkeras, sparsity, train
from bitsmith.models.train.loop import accuracy
from bitsmith.models.train.settings import TrainSettings
from bitsmith.models.train.split import Split
from bitsmith.models.zoo import task_path
from bitsmith.models.zoo.spec import NetSpec

pytestmark = pytest.mark.skipif(find_spec("qkeras") is None, reason="QKeras is not installed")

SHORT = TrainSettings(float_epochs=2, epochs=6, batch_size=128, final_sparsity=0.6)
EVERY_KIND = {
    "input": {"shape": (8, 8, 2), "bits": 4},
    "layers": [
        {"kind": "conv", "filters": 4, "kernel": [3, 3], "padding": "same", "name": "a"},
        {"kind": "depthwise", "kernel": [3, 3], "activation": "linear"},
        {"kind": "separable", "filters": 5, "kernel": [2, 2], "batchnorm": True, "name": "b"},
        {"kind": "conv", "filters": 5, "kernel": [1, 1], "activation": "tanh", "name": "c"},
        {"kind": "add", "from": ["b", "c"], "name": "sum"},
        {"kind": "concat", "from": ["sum", "c"]},
        {"kind": "avgpool", "window": [2, 2], "activation": "linear"},
        {"kind": "maxpool", "window": [2, 2]},
        {"kind": "globalavgpool", "activation": "linear"},
        {"kind": "dense", "units": 3, "activation": "sigmoid", "bias": False},
        {"kind": "dense", "units": 3},
    ],
}


@cache
def task(name: str) -> tuple[NetSpec, TrainSettings]:
    config = tomllib.loads(task_path(name).read_text())
    return NetSpec.model_validate(config["net"]), TrainSettings.model_validate(config["train"])


def reloaded(path: Path):
    from qkeras.utils import load_qmodel

    return load_qmodel(str(path), compile=False)


def noise_data(shape: tuple[int, ...], classes: int, rng: np.random.Generator) -> Dataset:
    """Random rows: enough to see that a net trains at all."""
    x = rng.random((40, *shape), np.float32)
    y = np.arange(40) % classes
    return Dataset("noise", x, y, x, y, tuple(map(str, range(classes))), "random")


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


@pytest.fixture(scope="module")
def trained(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    spec, settings = task("digits")
    return train(spec, digits, settings, tmp_path_factory.mktemp("digits"), progress=False)


def test_digits_meets_its_goal(trained: TrainResult):
    assert trained.accuracy_quantized >= 0.96
    assert trained.accuracy_quantized >= trained.accuracy_float - 0.01
    assert trained.sparsity >= 0.5


def test_the_saved_model_is_the_one_that_was_measured(trained: TrainResult, digits: Dataset):
    model = reloaded(trained.model_path)
    assert accuracy(model, digits.x_test, digits.y_test) == trained.accuracy_quantized
    assert sparsity(model) == trained.sparsity


def test_the_wanted_zeros_are_exact_in_every_layer(trained: TrainResult):
    from qkeras.utils import model_save_quantized_weights

    spec, settings = task("digits")
    weights = model_save_quantized_weights(reloaded(trained.model_path))
    assert list(weights) == ["hidden", "logits"]
    for name in ("hidden", "logits"):
        kernel = np.asarray(weights[name]["weights"][0])
        assert (kernel == 0).sum() >= round(settings.final_sparsity * kernel.size)
        steps = kernel * 2 ** (spec.weight_bits - 1)
        assert (steps == np.rint(steps)).all() and abs(kernel).max() <= 1


def test_the_history_holds_every_epoch(trained: TrainResult):
    _, settings = task("digits")
    stages = [epoch.stage for epoch in trained.history]
    assert stages == ["float"] * settings.float_epochs + ["quantized"] * settings.epochs
    zeros = [epoch.sparsity for epoch in trained.history[settings.float_epochs :]]
    assert zeros == sorted(zeros) and zeros[-1] == settings.final_sparsity


def test_one_seed_gives_one_model_whatever_the_test_part_says(digits: Dataset, tmp_path: Path):
    spec, _ = task("digits")
    other = replace(digits, x_test=1 - digits.x_test, y_test=np.roll(digits.y_test, 1))
    first = train(spec, digits, SHORT, tmp_path / "a", progress=False)
    second = train(spec, other, SHORT, tmp_path / "b", progress=False)
    third = train(spec, digits, SHORT.model_copy(update={"seed": 1}), tmp_path / "c", progress=False)
    assert first.history == second.history != third.history
    models = [reloaded(result.model_path).get_weights() for result in (first, second, third)]
    assert all((a == b).all() for a, b in zip(models[0], models[1], strict=True))
    assert any((a != b).any() for a, b in zip(models[0], models[2], strict=True))
    assert second.accuracy_quantized < first.accuracy_quantized


def test_a_layer_may_have_its_own_sparsity(digits: Dataset, tmp_path: Path):
    spec, _ = task("digits")
    flat, hidden, logits = spec.layers
    spec = spec.model_copy(update={"layers": (flat, hidden.model_copy(update={"sparsity": 0.9}), logits)})
    result = train(spec, digits, SHORT, tmp_path, progress=False)
    shares = [float((w == 0).mean()) for w in reloaded(result.model_path).get_weights() if w.ndim == 2]
    np.testing.assert_allclose(shares, [0.9, 0.6], atol=0.005)  # whole weights only


def test_progress_goes_to_standard_error(digits: Dataset, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    spec, _ = task("digits")
    settings = TrainSettings(float_epochs=1, epochs=1, final_sparsity=0.0, batch_size=512)
    train(spec, digits, settings, tmp_path, progress=True)
    told = capfd.readouterr()
    assert "digits quantized" in told.err and "2/2" in told.err and told.out == ""


def test_data_that_do_not_suit_the_net(digits: Dataset, tmp_path: Path):
    jets, settings = task("jets")
    with pytest.raises(InputError, match=r"takes rows of shape \(16,\), digits has \(8, 8, 1\)"):
        train(jets, digits, settings, tmp_path, progress=False)
    spec, _ = task("digits")
    with pytest.raises(InputError, match=r"ends in 10 logits, digits has 2 classes"):
        train(spec, replace(digits, classes=("a", "b")), SHORT, tmp_path, progress=False)
    with pytest.raises(InputError, match=r"digits: validation_share 0\.1 of 20 rows: .*; raise the share"):
        train(spec, replace(digits, x_train=digits.x_train[:20], y_train=digits.y_train[:20]), SHORT, tmp_path)


def test_an_unwritable_folder_is_named(digits: Dataset, tmp_path: Path):
    (tmp_path / "file").write_text("")
    spec, _ = task("digits")
    settings = TrainSettings(float_epochs=1, epochs=1, final_sparsity=0.0, batch_size=512)
    with pytest.raises(InputError, match="choose another output folder"):
        train(spec, digits, settings, tmp_path / "file", progress=False)


def test_every_kind_of_layer_builds_and_trains(tmp_path: Path, rng: np.random.Generator):
    spec = NetSpec.model_validate(EVERY_KIND)
    baseline, model = build_qkeras(spec, quantized=False), build_qkeras(spec)
    assert [w.shape for w in baseline.get_weights()] == [w.shape for w in model.get_weights()]
    kinds = {type(layer).__name__ for layer in model.layers}
    assert {"QConv2D", "QDepthwiseConv2D", "QSeparableConv2D", "QDense", "QActivation"} <= kinds
    assert not any(type(layer).__name__.startswith("Q") for layer in baseline.layers)
    settings = TrainSettings(float_epochs=1, epochs=1, batch_size=16, prune_end=0.0, final_sparsity=0.5)
    result = train(spec, noise_data((8, 8, 2), 3, rng), settings, tmp_path, progress=False)
    assert result.sparsity >= 0.49  # whole weights only, in layers of few weights
    assert reloaded(result.model_path).output_shape == (None, 3)


def test_one_dimensional_convolution_builds(rng: np.random.Generator):
    layers = [
        {"kind": "conv", "filters": 4, "kernel": [3]},
        {"kind": "maxpool", "window": [2]},
        {"kind": "globalavgpool"},
        {"kind": "dense", "units": 3},
    ]
    model = build_qkeras(NetSpec.model_validate({"input": {"shape": (16, 2), "signed": True}, "layers": layers}))
    assert model(rng.random((2, 16, 2), np.float32)).shape == (2, 3)


@pytest.mark.nightly
def test_a_wide_net_trains_the_same_every_time(tmp_path: Path, rng: np.random.Generator):
    """Steps that overlapped gave another model in about every second run of a net of this size."""
    spec, _ = task("mnist")
    x, y = rng.random((10_000, 28, 28, 1), np.float32), rng.integers(0, 10, 10_000)
    data = Dataset("noise", x, y, x[:100], y[:100], tuple("0123456789"), "random")
    settings = TrainSettings(float_epochs=1, epochs=8, batch_size=64, final_sparsity=0.9)
    runs = [train(spec, data, settings, tmp_path, progress=False).history for _ in range(4)]
    assert runs[1:] == runs[:-1]


def test_many_steps_train_the_same_every_time(rng: np.random.Generator):
    """TensorFlow dropped the order of writes and reads in a loop: the losses of such data, mostly dark, differed."""
    spec, _ = task("fashion")
    x = np.where(rng.random((12_000, 28, 28, 1)) < 0.3, rng.random((12_000, 28, 28, 1)), 0.0).astype(np.float32)
    y = rng.integers(0, 10, 12_000)
    settings = TrainSettings(batch_size=16)

    def loss() -> float:
        adapter = QKeras()
        with adapter.seeded(0):
            model = adapter.build(spec, quantized=True)
            return adapter.loop(model, Split(x, y, x[:100], y[:100]), settings, epochs=1, seed=0).epoch()

    assert len({loss() for _ in range(4)}) == 1


@pytest.mark.nightly
def test_cifar10_builds_and_trains_a_step(tmp_path: Path, rng: np.random.Generator):
    spec, _ = task("cifar10")
    settings = TrainSettings(float_epochs=1, epochs=1, batch_size=16, prune_end=0.0, validation_share=0.5)
    result = train(spec, noise_data((32, 32, 3), 10, rng), settings, tmp_path, progress=False)
    assert result.sparsity >= 0.49 and result.weights > 70_000


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["mnist", "mnist_conv", "fashion"])
def test_the_image_tasks_meet_their_goals(name: str, data_dir: Path, tmp_path: Path):
    spec, settings = task(name)
    result = train(spec, load(name.split("_")[0], data_dir), settings, tmp_path, progress=False)
    assert result.accuracy_quantized >= {"mnist": 0.96, "mnist_conv": 0.97, "fashion": 0.84}[name]
    assert result.sparsity >= 0.5
