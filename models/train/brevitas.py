"""Quantization-aware training in PyTorch with Brevitas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.models.data.dataset import Dataset, FloatArray, LabelArray
from bitsmith.models.ir.errors import InputError
from bitsmith.models.train import session
from bitsmith.models.train.brevitas_export import export_qonnx
from bitsmith.models.train.brevitas_layers import build_brevitas, weighted_modules
from bitsmith.models.train.brevitas_loop import Loop, accuracy, scores
from bitsmith.models.train.brevitas_steps import fit_steps
from bitsmith.models.train.inherit import Named
from bitsmith.models.train.results import TrainResult
from bitsmith.models.train.settings import TrainSettings
from bitsmith.models.train.split import Split
from bitsmith.models.train.torch_framework import framework
from bitsmith.models.zoo.spec import NetSpec

__all__ = ["MODEL_FILE", "STATE_FILE", "TrainResult", "build_brevitas", "load_brevitas", "outputs", "sparsity", "train"]

MODEL_FILE = "model.onnx"
STATE_FILE = "model.pt"
FIT_ROWS = 512  # of the training part, to start learned steps from


def train(spec: NetSpec, data: Dataset, settings: TrainSettings, out: Path, progress: bool = True) -> TrainResult:
    """Train ``spec`` in Brevitas; save it as ``out/model.onnx`` (QONNX) and its weights as ``out/model.pt``.

    See :func:`bitsmith.models.train.session.run`.
    """
    return session.run(Brevitas(), spec, data, settings, out, progress)


def load_brevitas(spec: NetSpec, path: Path) -> Any:
    """The module of ``spec`` with the weights of a ``model.pt``; InputError if they are not those of this spec."""
    torch = framework().torch
    model = build_brevitas(spec)
    try:
        model.load_state_dict(torch.load(path, weights_only=True))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error}); train again, or give the model.pt of a training"
        ) from error
    except Exception as error:  # torch raises several types for files and weights that do not suit
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"{path}: holds no weights of this net ({reason}); give the model.pt trained with it"
        ) from error
    return model.eval()


def outputs(model: Any, x: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """What Brevitas itself computes, in float32: rows (n, *input shape) to logits (n, classes)."""
    return scores(model, np.ascontiguousarray(x, np.float32)).astype(np.float64)


def sparsity(model: Any) -> float:
    """Share of zeros among the quantized weights of a module, biases not counted."""
    return session.sparsity(Brevitas().weights(model))


class Brevitas:
    """Brevitas, as a session uses it."""

    @contextmanager
    def seeded(self, seed: int) -> Iterator[None]:
        """One thread: small nets gain nothing from more, and sums keep their order."""
        torch = framework().torch
        before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.get_rng_state()
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(before[1])
            torch.set_rng_state(before[2])

    def build(self, spec: NetSpec, quantized: bool) -> Any:
        """A torch module."""
        return build_brevitas(spec, quantized)

    def carry(self, baseline: Any, model: Any, x: FloatArray) -> None:
        """Weights by name; learned steps fit the baseline's weights and its values on ``x``."""
        model.load_state_dict(baseline.state_dict(), strict=False)
        fit_steps(model, baseline, framework().torch.from_numpy(x[:FIT_ROWS]))

    def loop(self, model: Any, parts: Split, settings: TrainSettings, epochs: int, seed: int) -> Loop:
        """A stage of torch steps."""
        return Loop(model, parts, settings, epochs, seed)

    def weights(self, model: Any) -> list[session.Weight]:
        """Every weight with a quantizer."""
        return [_weight(name, module) for name, module in weighted_modules(model)]

    def state(self, model: Any) -> Any:
        """A copy of the state dict."""
        return {name: value.detach().clone() for name, value in model.state_dict().items()}

    def restore(self, model: Any, state: Any) -> None:
        """Load the copy."""
        model.load_state_dict(state)

    def named(self, model: Any) -> Named:
        """The floating parts of the state dict."""
        state = model.state_dict()
        return {k: v.detach().numpy().copy() for k, v in state.items() if v.dtype.is_floating_point}

    def set_named(self, model: Any, weights: Named) -> None:
        """Into the state dict; counters stay."""
        torch = framework().torch
        model.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in weights.items()}, strict=False)

    def accuracy(self, model: Any, x: FloatArray, y: LabelArray) -> float:
        """Share of rows whose largest logit is the label's."""
        return accuracy(model, x, y)

    def save(self, model: Any, spec: NetSpec, folder: Path) -> Path:
        """As QONNX, and the state dict beside it."""
        framework().torch.save(model.state_dict(), folder / STATE_FILE)
        export_qonnx(model, spec, folder / MODEL_FILE)
        return folder / MODEL_FILE


def _weight(layer: str, module: Any) -> session.Weight:
    def quantized() -> FloatArray:
        array: FloatArray = module.quant_weight().value.detach().numpy()
        return array

    return session.Weight(layer, module.weight, lambda: module.weight.detach().numpy(), quantized)
