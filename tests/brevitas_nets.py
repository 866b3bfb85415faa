"""Brevitas nets for the tests: specs of every kind, with drawn weights, exported, and run by others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.models.train.brevitas import Brevitas, build_brevitas, load_brevitas, outputs
from bitsmith.models.zoo.spec import NetSpec

DENSE = {"kind": "dense", "units": 3, "name": "logits"}
EVERY_KIND = [
    {"kind": "conv", "filters": 4, "kernel": [3, 3], "strides": [2, 2], "padding": "same", "name": "a"},
    {"kind": "depthwise", "kernel": [3, 3], "padding": "same", "activation": "linear"},
    {"kind": "separable", "filters": 5, "kernel": [2, 2], "padding": "same", "name": "b"},
    {"kind": "conv", "filters": 5, "kernel": [1, 1], "activation": "tanh", "name": "c"},
    {"kind": "add", "from": ["b", "c"], "name": "sum"},
    {"kind": "concat", "from": ["sum", "c"]},
    {"kind": "avgpool", "window": [2, 2], "activation": "linear", "name": "average"},
    {"kind": "globalavgpool", "activation": "linear", "from": ["average"], "name": "mean"},
    {"kind": "maxpool", "window": [2, 1], "from": ["average"]},
    {"kind": "flatten"},
    {"kind": "dense", "units": 10, "activation": "sigmoid", "bias": False, "name": "gate"},
    {"kind": "add", "from": ["mean", "gate"], "activation": "none"},
    DENSE,
]
ONE_AXIS = [
    {"kind": "conv", "filters": 4, "kernel": [3], "strides": [2], "padding": "same", "name": "a"},
    {"kind": "maxpool", "window": [2]},
    {"kind": "flatten"},
    {"kind": "dense", "units": 6, "name": "b"},
    DENSE,
]
RESIDUAL = [
    {"kind": "conv", "filters": 4, "kernel": [3, 3], "padding": "same", "name": "stem"},
    {"kind": "conv", "filters": 4, "kernel": [3, 3], "padding": "same", "activation": "linear", "name": "branch"},
    {"kind": "add", "from": ["stem", "branch"], "name": "block"},
    {"kind": "maxpool", "window": [2, 2]},
    {"kind": "flatten"},
    DENSE,
]
SINGLE_BITS = [
    {"kind": "dense", "units": 12, "name": "a"},
    {"kind": "dense", "units": 12, "name": "b", "activation": "relu"},
    {"kind": "dense", "units": 12, "name": "c", "activation": "tanh"},
    DENSE,
]
REAL = {"weight_scales": "channel", "activation_scales": "tensor"}


def net(layers: list[dict], shape: tuple[int, ...], **rest: Any) -> NetSpec:
    return NetSpec.model_validate({"input": {"shape": shape, "bits": 4}, "layers": layers, "bias_bits": 5, **rest})


SPECS = {
    "every kind": net(EVERY_KIND, (9, 8, 2), weight_bits=4, activation_bits=4, activation_integer_bits=1),
    "one axis": net(ONE_AXIS, (16, 2), weight_bits=3, activation_bits=3),
    "single bits": net(SINGLE_BITS, (20,), weight_bits=1, activation="linear", activation_bits=1, bias_bits=1),
    "signs in": net([DENSE], (20,), weight_bits=2, input={"shape": (20,), "bits": 1, "signed": True}),
    "bits in": net([DENSE], (20,), weight_bits=2, input={"shape": (20,), "bits": 1}),
    "real": net(RESIDUAL, (6, 6, 2), weight_bits=2, activation_bits=4, batchnorm=True, **REAL),
    "real, one axis": net(ONE_AXIS, (16, 2), weight_bits=3, activation_bits=3, **REAL),
    "real, one scale": net(ONE_AXIS, (16, 2), weight_scales="tensor"),
    "real, separable": net(
        [EVERY_KIND[2] | {"strides": [2, 2]}, {"kind": "flatten"}, DENSE], (7, 6, 2), weight_bits=4, **REAL
    ),
    "real single bits": net([SINGLE_BITS[0], DENSE], (20,), weight_bits=1, activation_bits=2, batchnorm=True, **REAL),
}
FIXED = [name for name in SPECS if not name.startswith("real")]


def rows(spec: NetSpec, rng: np.random.Generator, count: int = 200) -> np.ndarray:
    """Off the grid, and beyond its ends."""
    return rng.uniform(-0.6, 1.3, (count, *spec.input.shape)).astype(np.float32)


def drawn(spec: NetSpec, rng: np.random.Generator) -> Any:
    """A module with every parameter and every statistic drawn."""
    import torch

    model = build_brevitas(spec)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith("log2"):
                value.copy_(torch.from_numpy(rng.uniform(-3.0, -1.0, value.shape)))
            elif name.endswith("running_var"):
                value.copy_(torch.from_numpy(rng.uniform(0.3, 2.0, value.shape)))
            elif value.is_floating_point():
                value.copy_(torch.from_numpy(rng.normal(0.0, 0.5, value.shape)))
    return model


def exported(spec: NetSpec, rng: np.random.Generator, folder: Path) -> Any:
    """A drawn module, and its files as training writes them."""
    model = drawn(spec, rng)
    Brevitas().save(model, spec, folder)
    return model


def executed(path: Path, x: np.ndarray) -> np.ndarray:
    """The exported file, run by qonnx row by row."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx

    model = ModelWrapper(str(path))
    return np.concatenate([execute_onnx(model, {"input": x[i : i + 1]})["logits"] for i in range(len(x))])


def integers(spec: NetSpec, folder: Path, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Output integers of the net lowered from ``model.onnx``, and Brevitas's own logits in steps of that net."""
    from bitsmith.models.ir import execute
    from bitsmith.models.lower.onnx.io import load_model
    from bitsmith.models.lower.qonnx import lower

    lowered = lower(load_model(folder / "model.onnx"), name="net")
    source = lowered.input
    data = np.clip(np.rint(x.astype(np.float64) / source.type.scale), source.lo, source.hi).astype(np.int64)
    logits = outputs(load_brevitas(spec, folder / "model.pt"), x)
    return execute(lowered, data), np.rint(logits / np.asarray(lowered.output.type.scale))
