"""What training returns, whatever the framework."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
