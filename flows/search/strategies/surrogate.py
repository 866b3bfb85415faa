"""What a candidate will be, learned from the trials so far: its accuracy, and how far its price is off the table's."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitsmith.flows.search.goals import ACCURACY
from bitsmith.flows.search.ledger import Trial
from bitsmith.flows.search.space import Parameter, Value
from bitsmith.flows.search.sweep import Sweep

Floats = NDArray[np.float64]
OPTIMISM = 0.5
"""Standard deviations by which an accuracy is taken to be better than expected."""


@dataclass(frozen=True, eq=False)
class Surrogates:
    """One regression per objective: of the accuracy itself, of a cost's logarithm over its price by table."""

    sweep: Sweep
    models: Mapping[str, Any]

    @classmethod
    def fitted(cls, sweep: Sweep, done: Sequence[Trial], tables: Sequence[Mapping[str, float]]) -> Surrogates:
        """From complete trials and their prices by table."""
        x = features(sweep.parameters, [t.choices for t in done])
        models = {}
        for name in sweep.goals.objectives:
            values = np.array([t.measures[name] for t in done])
            if name != ACCURACY:
                values = np.log(np.maximum(values, 1e-12)) - _base(name, tables)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a kernel parameter at the end of its range is no news to anybody
                models[name] = _regression().fit(x, values)
        return cls(sweep, models)

    def axes(self, choices: Sequence[Mapping[str, Value]], tables: Sequence[Mapping[str, float]]) -> Floats:
        """Expected places in the unit cube of the hypervolume, shape (candidates, objectives)."""
        x = features(self.sweep.parameters, choices)
        columns: dict[str, Floats] = {}
        for name, model in self.models.items():
            mean, deviation = model.predict(x, return_std=True)
            if name == ACCURACY:
                columns[name] = np.minimum(mean + OPTIMISM * deviation, 1.0)
            else:
                columns[name] = np.exp(mean + _base(name, tables))
        measures = [{n: float(c[i]) for n, c in columns.items()} for i in range(len(x))]
        return self.sweep.axes.of(measures)


def likely_to_hold(sweep: Sweep, trials: Sequence[Trial], choices: Sequence[Mapping[str, Value]]) -> list[int]:
    """Which candidates are no more likely to fail or to break a limit than not; all, where none is, or no trial did.

    What a table cannot foresee shows only once a candidate is trained: sums that are too wide for the clock, a net
    that no backend takes, a figure that the limit of a board does not allow.  An accuracy may grow yet.
    """
    from sklearn.ensemble import RandomForestClassifier

    ended = [t for t in trials if t.trained]
    bad = [t.state == "failed" or _too_costly(sweep, t) for t in ended]
    everyone = list(range(len(choices)))
    if not any(bad) or all(bad):
        return everyone
    forest = RandomForestClassifier(random_state=0).fit(features(sweep.parameters, [t.choices for t in ended]), bad)
    risk = forest.predict_proba(features(sweep.parameters, choices))[:, 1]
    return [i for i in everyone if risk[i] <= 0.5] or everyone


def _too_costly(sweep: Sweep, trial: Trial) -> bool:
    if trial.state != "complete":
        return False
    costs = {name: value for name, value in trial.measures.items() if name != ACCURACY}
    return bool(sweep.goals_of(sweep.config(trial.choices)).broken(costs))


def features(parameters: Sequence[Parameter], choices: Sequence[Mapping[str, Value]]) -> Floats:
    """Shape (candidates, features): ordered parameters from 0 to 1, others one column a value."""
    columns = []
    for p in parameters:
        at = np.array([p.values.index(c[p.name]) for c in choices])
        if p.ordered:
            columns.append(at / (len(p.values) - 1))
        else:
            columns += [0.5 * (at == k) for k in range(len(p.values))]
    return np.stack(columns, axis=1).astype(np.float64)


def _base(name: str, tables: Sequence[Mapping[str, float]]) -> Floats:
    """Logarithm of the price by table; 0 where the table does not say."""
    logarithms: Floats = np.log(np.array([max(table.get(name, 1.0), 1e-9) for table in tables]))
    return logarithms


def _regression() -> Any:
    """A Gaussian process over the features."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(1.0, (0.2, 20.0), nu=2.5) + WhiteKernel(1e-2, (1e-4, 1.0))
    return GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
