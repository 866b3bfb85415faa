"""Networks that others trained, against QKeras, and against a reference that shares no code with the lowering."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitsmith.models.ir import QuantType, execute, quantize_input, random_inputs
from bitsmith.models.lower.qkeras import compare, load_model, lower, reference


def test_single_layers_of_2_to_14_bits(models_dir: Path) -> None:
    files = sorted((models_dir / "wa-hls4ml-pregen/pregen_models").glob("*.h5"))
    assert len(files) == 8
    for path in files:
        model = load_model(path)
        result = compare(model, lower(model, name=path.stem), 1000, seed=0)
        assert result.samples == 1000 and result.exact, path.name


class Reference:
    """The anomaly detector in plain float64, read from its file: nothing of Keras, nothing of Bitsmith.

    A QDenseBatchnorm is x @ q(gamma * kernel / sqrt(var + eps)) + q(gamma * (bias - mean) / sqrt(var + eps) + beta).
    """

    def __init__(self, path: Path) -> None:
        import h5py

        with h5py.File(path) as file:
            self.layers = json.loads(file.attrs["model_config"])["config"]["layers"]
            self.weights: dict[str, dict[str, Any]] = {}
            for layer, group in file["model_weights"].items():
                tensors: dict[str, Any] = {}
                group.visititems(lambda name, item, t=tensors: t.update({name.split("/")[-1][:-2]: item}))
                self.weights[layer] = {k: v[()].astype(np.float64) for k, v in tensors.items() if hasattr(v, "shape")}

    @staticmethod
    def quantized(x: np.ndarray, config: dict[str, Any]) -> np.ndarray:
        c = config["config"]
        if config["class_name"] == "quantized_relu":
            step, low, high = 2.0 ** (c["integer"] - c["bits"]), 0, 2 ** c["bits"] - 1
        else:
            assert config["class_name"] == "quantized_bits" and c["alpha"] == 1 and not c["symmetric"]
            step, low, high = 2.0 ** (c["integer"] - c["bits"] + 1), -(2 ** (c["bits"] - 1)), 2 ** (c["bits"] - 1) - 1
        return np.clip(np.rint(x / step), low, high) * step

    def __call__(self, x: np.ndarray) -> np.ndarray:
        for layer in self.layers[1:]:
            config, w = layer["config"], self.weights.get(layer["config"]["name"], {})
            if layer["class_name"] == "QActivation":
                x = self.quantized(x, config["activation"])
                continue
            kernel, bias = w["kernel"], w["bias"]
            if layer["class_name"] == "QDenseBatchnorm":
                inv = w["gamma"] / np.sqrt(w["moving_variance"] + config["epsilon"])
                kernel, bias = kernel * inv, (bias - w["moving_mean"]) * inv + w["beta"]
            x = x @ self.quantized(kernel, config["kernel_quantizer"]) + self.quantized(bias, config["bias_quantizer"])
        return x


@pytest.mark.parametrize(
    "grid", [QuantType(8, True, 2.0**-7), QuantType(8, True, 2.0**-2), QuantType(6, True, 1.0)], ids=str
)
def test_the_anomaly_detector_with_a_layer_that_qkeras_lacks(models_dir: Path, grid: QuantType) -> None:
    path = models_dir / "mlperftiny-v0.7/AD08.h5"
    model = load_model(path)
    net = lower(model, name="AD08", input_type=grid)
    assert sum(op.kind == "dense" for op in net.ops) == 6
    x = random_inputs(net, 1000, seed=0)
    got = net.output.type.real(execute(net, x))
    assert (got == Reference(path)(net.input.type.real(x))).all()
    assert len(np.unique(got)) > 1000
    assert compare(model, net, 1000, seed=1).exact


def test_the_image_classifier(models_dir: Path) -> None:
    model = load_model(models_dir / "mlperftiny-v0.7/RN07.h5")
    for grid in (None, QuantType(8, False, 1 / 255)):
        net = lower(model, name="RN07", input_type=grid)
        assert net.head == "softmax" and net.output.shape == (10,)
        assert compare(model, net, 20, seed=0).exact


@pytest.mark.nightly
def test_the_image_classifier_on_1000_rows(models_dir: Path) -> None:
    model = load_model(models_dir / "mlperftiny-v0.7/RN07.h5")
    for grid in (None, QuantType(8, False, 1 / 255)):
        result = compare(model, lower(model, name="RN07", input_type=grid), 1000, seed=0)
        assert result.samples == 1000 and result.exact


@pytest.mark.nightly
def test_the_image_classifier_on_all_test_images(models_dir: Path, data_dir: Path) -> None:
    """82.61 % right as measured with QKeras 0.9; every image the same class, and all ten logits equal."""
    image = pytest.importorskip("PIL.Image")
    image.MAX_IMAGE_PIXELS = None
    pixels = np.asarray(image.open(data_dir / "cifar10/test_batch.png").convert("RGB")).reshape(10000, 32, 32, 3)
    labels = np.array(json.loads((data_dir / "cifar10/test_lables.json").read_text()))
    model = load_model(models_dir / "mlperftiny-v0.7/RN07.h5")
    net = lower(model, name="RN07", input_type=QuantType(8, False, 1 / 255))
    real = pixels.astype(np.float32) / np.float32(255)
    x = quantize_input(net, real)
    assert (x == pixels).all()
    expected, got = reference(model, net, real), net.output.type.real(execute(net, x))
    assert (got == expected).all()
    assert np.sum(got.argmax(axis=-1) == labels) == 8261
