"""What a trained candidate is worth as hardware: its net proved, its accuracies counted, its price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bitsmith.flows.backends import load_backend
from bitsmith.flows.config import TaskConfig
from bitsmith.flows.measure import accuracy
from bitsmith.flows.options import hw_config
from bitsmith.flows.pricing import estimate_json, price
from bitsmith.flows.search.goals import measures_of
from bitsmith.hls.backends.base import refuse
from bitsmith.models.data.dataset import Dataset, FloatArray, LabelArray
from bitsmith.models.ir import QNet, execute, quantize_input
from bitsmith.models.ir.errors import MismatchError
from bitsmith.models.lower.compare import Lowered, prove
from bitsmith.models.train.split import Split


@dataclass(frozen=True)
class Worth:
    """The figures of a net on the board of its task."""

    accuracy: float  # of the integers, on the validation rows: what is searched for
    accuracy_test: float  # on the test rows, which no strategy sees
    figures: dict[str, Any]  # of the estimate: {value, low, high} each; fits, binding, calibration
    params: int  # weights and biases
    weights_kept: int  # of them not zero

    @property
    def measures(self) -> dict[str, float]:
        """Every figure that may be an objective or a limit."""
        return measures_of(self.accuracy, self.figures, self.params)


def proved(lowered: Lowered, rows: FloatArray) -> QNet:
    """The net, if it computes on ``rows`` what its framework does; MismatchError otherwise."""
    net = lowered.net
    integers = quantize_input(net, rows)
    real = rows.astype(np.float64) if lowered.rounds_input else net.input.type.real(integers)
    proof = prove(lowered, integers, real)[0]
    if not proof.exact:
        raise MismatchError(f"the net differs from {lowered.framework} on {len(proof.mismatching)} rows")
    return net


def worth_of(net: QNet, task: TaskConfig, parts: Split, dataset: Dataset) -> Worth:
    """Counted and priced for the first back end of the task; BitsmithError for a net that it refuses."""
    hw = hw_config(task.hardware, task.hardware.backends[0], task.train.seed)
    refuse(load_backend(hw.backend), net, hw)
    figures = estimate_json(price(net, hw))
    params, kept = _counted(net)
    return Worth(
        accuracy=_accuracy(net, parts.x_check, parts.y_check),
        accuracy_test=_accuracy(net, dataset.x_test, dataset.y_test),
        figures={name: value for name, value in figures.items() if name != "layers"},
        params=params,
        weights_kept=kept,
    )


def _accuracy(net: QNet, x: FloatArray, y: LabelArray) -> float:
    """Share of rows that the integers put into the right class."""
    return accuracy(net, net.output.type.real(execute(net, quantize_input(net, x))), y)


def _counted(net: QNet) -> tuple[int, int]:
    """Weights and biases of the net, and how many of them are not zero."""
    arrays = [value for op in net.ops for value in (getattr(op, "weight", None), getattr(op, "bias", None))]
    found = [array for array in arrays if array is not None]
    return sum(a.size for a in found), sum(int(np.count_nonzero(a)) for a in found)
