"""Quantization-aware training in QKeras."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.models.data.dataset import Dataset, FloatArray, LabelArray
from bitsmith.models.train import session
from bitsmith.models.train.framework import framework
from bitsmith.models.train.inherit import Named
from bitsmith.models.train.layers import build_qkeras
from bitsmith.models.train.loop import Loop, accuracy
from bitsmith.models.train.results import TrainResult
from bitsmith.models.train.settings import TrainSettings
from bitsmith.models.train.split import Split
from bitsmith.models.zoo.spec import NetSpec

__all__ = ["MODEL_FILE", "TrainResult", "build_qkeras", "sparsity", "train"]

MODEL_FILE = "model.h5"


def train(spec: NetSpec, data: Dataset, settings: TrainSettings, out: Path, progress: bool = True) -> TrainResult:
    """Train ``spec`` in QKeras and save it as ``out/model.h5``; see :func:`bitsmith.models.train.session.run`."""
    return session.run(QKeras(), spec, data, settings, out, progress)


def sparsity(model: Any) -> float:
    """Share of zeros among the quantized weights of a QKeras model, biases not counted."""
    return session.sparsity(QKeras().weights(model))


def single_thread() -> None:
    """One thread for all of TensorFlow; to be asked for before the process computes anything, later it is refused.

    Small nets gain nothing from more, and the sums of a matrix product keep their
    order whatever machine it is.
    """
    threading = framework().tf.config.threading
    if threading.get_intra_op_parallelism_threads() != 1:
        threading.set_intra_op_parallelism_threads(1)
        threading.set_inter_op_parallelism_threads(1)


def forget() -> None:
    """Drops the graphs of all models: a process that trains hundreds would keep every one."""
    framework().keras.backend.clear_session()
    gc.collect()


class QKeras:
    """QKeras, as a session uses it."""

    @contextmanager
    def seeded(self, seed: int) -> Iterator[None]:
        """TensorFlow keeps all of these settings for the rest of the process."""
        fw = framework()
        fw.keras.utils.set_random_seed(seed)
        fw.tf.config.experimental.enable_op_determinism()
        # it drops control dependencies of a loop that writes variables: now and then a step reads weights too early
        fw.tf.config.optimizer.set_experimental_options({"dependency_optimization": False})
        yield

    def build(self, spec: NetSpec, quantized: bool) -> Any:
        """A tf_keras model."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Keras 2, about an initializer that QKeras' layers call twice
            return build_qkeras(spec, quantized)

    def carry(self, baseline: Any, model: Any, x: FloatArray) -> None:
        """Weights only: QKeras takes its scales from them."""
        model.set_weights(baseline.get_weights())

    def loop(self, model: Any, parts: Split, settings: TrainSettings, epochs: int, seed: int) -> Loop:
        """A stage as TensorFlow graphs."""
        return Loop(model, parts, settings, epochs, seed)

    def weights(self, model: Any) -> list[session.Weight]:
        """Every kernel with a quantizer."""
        found = []
        for layer in model.layers:
            for kind in ("kernel", "depthwise", "pointwise"):
                quantizer = getattr(layer, f"{kind}_quantizer_internal", None)
                if quantizer is not None:
                    variable = getattr(layer, kind, None)
                    variable = getattr(layer, f"{kind}_kernel") if variable is None else variable
                    found.append(_weight(layer.name, variable, quantizer))
        return found

    def state(self, model: Any) -> Any:
        """All weights as arrays."""
        return model.get_weights()

    def restore(self, model: Any, state: Any) -> None:
        """Set all weights."""
        model.set_weights(state)

    def named(self, model: Any) -> Named:
        """By layer and position: the float and the quantized model of a spec have the same names."""
        return {f"{layer.name}/{k}": w for layer in model.layers for k, w in enumerate(layer.get_weights())}

    def set_named(self, model: Any, weights: Named) -> None:
        """Layer by layer."""
        for layer in model.layers:
            layer.set_weights([weights[f"{layer.name}/{k}"] for k in range(len(layer.weights))])

    def accuracy(self, model: Any, x: FloatArray, y: LabelArray) -> float:
        """Share of rows whose largest logit is the label's."""
        return accuracy(model, x, y)

    def save(self, model: Any, spec: NetSpec, folder: Path) -> Path:
        """As HDF5: QKeras cannot read its own ``.keras`` files back."""
        path = folder / MODEL_FILE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras calls HDF5 a legacy format
            model.save(path, include_optimizer=False)
        return path


def _weight(layer: str, variable: Any, quantizer: Any) -> session.Weight:
    return session.Weight(layer, variable, variable.numpy, lambda: np.asarray(quantizer(variable)))
