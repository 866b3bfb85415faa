"""Quantization-aware training in QKeras, from a float baseline, with magnitude pruning."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.models.data.dataset import Dataset
from bitsmith.models.ir.errors import InputError
from bitsmith.models.train.framework import framework
from bitsmith.models.train.layers import build_qkeras
from bitsmith.models.train.loop import Loop, Split, accuracy, split
from bitsmith.models.train.prune import masks, scheduled
from bitsmith.models.train.settings import TrainSettings
from bitsmith.models.zoo.graph import nodes
from bitsmith.models.zoo.spec import NetSpec, WeightedSpec

__all__ = ["Epoch", "TrainResult", "build_qkeras", "sparsity", "train"]

MODEL_FILE = "model.h5"


@dataclass(frozen=True)
class Epoch:
    """One epoch, as recorded."""

    stage: str  # "float" | "quantized"
    loss: float  # mean over the training rows
    check_accuracy: float  # on the validation rows
    check_loss: float
    sparsity: float  # wanted by the schedule


@dataclass(frozen=True)
class TrainResult:
    """Accuracies are on the test part, which training never saw."""

    accuracy_float: float
    accuracy_quantized: float
    sparsity: float  # share of zeros among the weights as quantized, biases not counted
    weights: int  # how many weights there are, biases not counted
    model_path: Path
    seconds: float
    history: tuple[Epoch, ...]


def train(spec: NetSpec, data: Dataset, settings: TrainSettings, out: Path, progress: bool = True) -> TrainResult:
    """Train the float baseline, then the quantized net from its weights; save the latter as ``out/model.h5``.

    The best epoch is chosen on rows put aside from the training part.  With one
    seed, one machine gives the same model every time.  InputError if the data do
    not suit the spec.
    """
    start = time.perf_counter()
    _check_data(spec, data)
    fw = framework()
    fw.keras.utils.set_random_seed(settings.seed)
    fw.tf.config.experimental.enable_op_determinism()
    parts = split(data, settings.validation_share, settings.seed)
    from tqdm import tqdm

    history: list[Epoch] = []
    seconds = 0.5 if sys.stderr.isatty() else 10.0  # a log file does not need every step
    total = settings.float_epochs + settings.epochs
    with tqdm(total=total, unit="epoch", mininterval=seconds, disable=not progress) as bar:

        def record(epoch: Epoch) -> None:
            history.append(epoch)
            bar.set_description(f"{data.name} {epoch.stage}", refresh=False)
            bar.set_postfix(check=f"{epoch.check_accuracy:.4f}", zeros=f"{epoch.sparsity:.0%}", refresh=False)
            bar.update()

        baseline = build_qkeras(spec, quantized=False)
        _fit_float(baseline, parts, settings, record)
        model = build_qkeras(spec)
        model.set_weights(baseline.get_weights())
        _fit_quantized(model, spec, parts, settings, record)
    path = out / MODEL_FILE
    _save(model, path)
    return TrainResult(
        accuracy_float=accuracy(baseline, data.x_test, data.y_test),
        accuracy_quantized=accuracy(model, data.x_test, data.y_test),
        sparsity=sparsity(model),
        weights=sum(int(np.prod(weight.shape)) for weight, _ in quantized_weights(model)),
        model_path=path,
        seconds=time.perf_counter() - start,
        history=tuple(history),
    )


def sparsity(model: Any) -> float:
    """Share of zeros among the quantized weights of ``model``, biases not counted: what the hardware sees."""
    arrays = [np.asarray(quantizer(weight)) for weight, quantizer in quantized_weights(model)]
    return float(sum((array == 0).sum() for array in arrays) / sum(array.size for array in arrays))


def quantized_weights(model: Any) -> list[tuple[Any, Any]]:
    """Every kernel of a QKeras model with its quantizer, in the order of the layers."""
    found = []
    for layer in model.layers:
        for kind in ("kernel", "depthwise", "pointwise"):
            quantizer = getattr(layer, f"{kind}_quantizer_internal", None)
            if quantizer is not None:
                weight = getattr(layer, kind, None)
                found.append((getattr(layer, f"{kind}_kernel") if weight is None else weight, quantizer))
    return found


def _check_data(spec: NetSpec, data: Dataset) -> None:
    if data.input_shape != spec.input.shape:
        raise InputError(f"the net takes rows of shape {spec.input.shape}, {data.name} has {data.input_shape}")
    width = nodes(spec)[-1].shape[0]
    if width != len(data.classes):
        raise InputError(f"the net ends in {width} logits, {data.name} has {len(data.classes)} classes")


def _fit_float(model: Any, parts: Split, settings: TrainSettings, record: Callable[[Epoch], None]) -> None:
    loop = Loop(model, parts, settings, settings.float_epochs, settings.seed)
    best = _Best(model)
    for _ in range(settings.float_epochs):
        epoch = Epoch("float", loop.epoch(), *loop.check(), sparsity=0.0)
        best.offer(epoch)
        record(epoch)
    best.restore()


def _fit_quantized(
    model: Any, spec: NetSpec, parts: Split, settings: TrainSettings, record: Callable[[Epoch], None]
) -> None:
    """Prune along the schedule; only epochs with all the zeros wanted can be the best."""
    loop = Loop(model, parts, settings, settings.epochs, settings.seed + 1)
    weights = [weight for weight, _ in quantized_weights(model)]
    final = _final_sparsities(model, spec, settings)
    set_masks = loop.hold_zeros(weights)
    best = _Best(model)
    for number in range(settings.epochs):
        progress = (number + 1) / settings.epochs
        share = scheduled(1.0, progress, settings.prune_begin, settings.prune_end)
        wanted = [share * value for value in final]
        set_masks(masks([w.numpy() for w in weights], wanted, across=settings.prune_scope == "net"))
        epoch = Epoch("quantized", loop.epoch(), *loop.check(), sparsity=share * settings.final_sparsity)
        if share == 1.0:
            best.offer(epoch)
        record(epoch)
    best.restore()


def _final_sparsities(model: Any, spec: NetSpec, settings: TrainSettings) -> list[float]:
    """Per quantized weight: its layer's own final sparsity, else that of the settings."""
    own = {n.name: n.layer.sparsity for n in nodes(spec) if isinstance(n.layer, WeightedSpec)}
    final = []
    for layer in model.layers:
        for kind in ("kernel", "depthwise", "pointwise"):
            if getattr(layer, f"{kind}_quantizer_internal", None) is not None:
                wanted = own[layer.name]
                final.append(settings.final_sparsity if wanted is None else wanted)
    return final


class _Best:
    """The weights of the best epoch so far: most validation rows right, then least loss."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.score: tuple[float, float] | None = None
        self.weights: list[Any] = []

    def offer(self, epoch: Epoch) -> None:
        score = (epoch.check_accuracy, -epoch.check_loss)
        if self.score is None or score > self.score:
            self.score, self.weights = score, self.model.get_weights()

    def restore(self) -> None:
        assert self.score is not None, "the schedule ends within the training"
        self.model.set_weights(self.weights)


def _save(model: Any, path: Path) -> None:
    """As HDF5: QKeras cannot read its own ``.keras`` files back."""
    import warnings

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras calls HDF5 a legacy format
            model.save(path, include_optimizer=False)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error}; choose another output folder") from error
