"""What is searched for, and what must hold: objectives, limits, dominance, hypervolume.

Dominance and hypervolume are Optuna's own functions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitsmith.hls.config import Board
from bitsmith.models.ir.errors import InputError

Floats = NDArray[np.float64]

ACCURACY = "accuracy"
RESOURCES = ("lut", "ff", "dsp", "bram")
COSTS = (*RESOURCES, "latency_cycles", "ii_cycles", "latency_ns", "energy_uj", "power_mw", "params")
DEFAULT_OBJECTIVES = (ACCURACY, "lut", "latency_ns", "energy_uj")


@dataclass(frozen=True)
class Goals:
    """Objectives in order, and the hard limits: a least accuracy, a largest cost."""

    objectives: tuple[str, ...]
    asked: Mapping[str, float]
    limits: Mapping[str, float]  # those asked for, and the board's resources

    def on(self, board: Board) -> Goals:
        """The same on another board."""
        have = {name: float(getattr(board.device, name)) for name in RESOURCES}
        both = {name: min(bound, self.asked.get(name, bound)) for name, bound in have.items()}
        return replace(self, limits={**self.asked, **both})

    @property
    def directions(self) -> list[str]:
        """Optuna's names."""
        return ["maximize" if name == ACCURACY else "minimize" for name in self.objectives]

    def losses(self, measures: Sequence[Mapping[str, float]]) -> Floats:
        """Shape (points, objectives), all to be minimised."""
        sign = [-1.0 if name == ACCURACY else 1.0 for name in self.objectives]
        rows = [[s * m[name] for s, name in zip(sign, self.objectives, strict=True)] for m in measures]
        return np.array(rows, np.float64).reshape(len(rows), len(self.objectives))

    def violations(self, measures: Mapping[str, float]) -> list[float]:
        """How far each limit is exceeded, relative to it; at most 0 where it holds.  Optuna's form of constraints."""
        return [self._excess(name, bound, measures[name]) for name, bound in sorted(self.limits.items())]

    def broken(self, measures: Mapping[str, float]) -> list[str]:
        """The limits that do not hold, in words; measures that are missing are not looked at."""
        return [
            f"{name} {measures[name]:.6g} {'below' if name == ACCURACY else 'above'} {bound:.6g}"
            for name, bound in sorted(self.limits.items())
            if name in measures and self._excess(name, bound, measures[name]) > 0
        ]

    @staticmethod
    def _excess(name: str, bound: float, value: float) -> float:
        over = bound - value if name == ACCURACY else value - bound
        return over / max(abs(bound), 1e-9)


def make_goals(objectives: Sequence[str], limits: Mapping[str, float], board: Board) -> Goals:
    """Checked goals; the board's own resources are limits always.  InputError with the names that there are."""
    for name in (*objectives, *limits):
        if name not in (ACCURACY, *COSTS):
            raise InputError(
                f"there is no figure {name!r} to search or to limit; there are: {ACCURACY}, {', '.join(COSTS)}"
            )
    if len(set(objectives)) < len(objectives) or len(objectives) < 2:
        raise InputError("a front needs at least two objectives, each once, accuracy and lut for example")
    return Goals(tuple(objectives), dict(limits), {}).on(board)


def measures_of(accuracy: float, figures: Mapping[str, Any], params: int) -> dict[str, float]:
    """Every figure that may be an objective or a limit."""
    found = {name: float(figures[name]["value"]) for name in COSTS if name in figures}
    return {ACCURACY: accuracy, **found, "params": float(params)}


def front_of(losses: Floats) -> NDArray[np.bool_]:
    """Which points nobody dominates; of equal ones all are (optuna.study, ``_is_pareto_front``)."""
    from optuna.study._multi_objective import _is_pareto_front

    found: NDArray[np.bool_] = _is_pareto_front(losses, assume_unique_lexsorted=False)
    return found


@dataclass(frozen=True)
class Axes:
    """The unit cube in which hypervolume is measured: 0 is ideal, 1 the reference point.

    Accuracy: the share of rows that are wrong over that of the reference.  A cost:
    its logarithm, between those of the ideal and of the reference.
    """

    objectives: tuple[str, ...]
    ideal: Mapping[str, float]  # objective -> what nothing is better than
    reference: Mapping[str, float]  # objective -> its worst value that still counts

    def of(self, measures: Sequence[Mapping[str, float]]) -> Floats:
        """Shape (points, objectives)."""
        rows = [[self._axis(name, m[name]) for name in self.objectives] for m in measures]
        return np.array(rows, np.float64).reshape(len(rows), len(self.objectives))

    def _axis(self, name: str, value: float) -> float:
        best, worst = self.ideal[name], self.reference[name]
        if name == ACCURACY:
            return (best - value) / max(best - worst, 1e-9)
        return max(0.0, math.log(max(value, 1e-12) / best) / math.log(max(worst / best, 1.0 + 1e-9)))

    def hypervolume(self, measures: Sequence[Mapping[str, float]]) -> float:
        """Share of the cube that the points dominate (optuna._hypervolume)."""
        from optuna._hypervolume import compute_hypervolume

        points = self.of(measures)
        inside = points[(points < 1.0).all(axis=1)] if len(points) else points
        if not len(inside):
            return 0.0
        return float(compute_hypervolume(inside, np.ones(len(self.objectives))))
