"""The default strategy: estimator first, children inherit their parents' weights, training in small portions.

One root is trained from nothing.  Every other trial starts from the weights of
an earlier one and trains a tenth of a full training.  Candidates are drawn by
the thousand around the front, priced by table, and scored by surrogates; a part
of each batch trains members of the front on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bitsmith.flows.search.candidate import fingerprint
from bitsmith.flows.search.goals import ACCURACY, front_of
from bitsmith.flows.search.ledger import Ledger, Plan, Trial
from bitsmith.flows.search.screen import prices, refusal
from bitsmith.flows.search.space import Parameter, Value
from bitsmith.flows.search.strategies.draws import POOL, Choices, Path, Rng, children, ladder, nearest, uniform
from bitsmith.flows.search.strategies.gain import best_additions
from bitsmith.flows.search.strategies.surrogate import Surrogates, likely_to_hold
from bitsmith.flows.search.sweep import Sweep, weights_of

PORTION = 0.08
"""Of a full training, per trial: 200 trials cost less than 20 trainings."""
ROOT_SHARE = 0.5
"""Of a full training, for the root: everything descends from it."""
RELAXED_SHARE = 0.1
"""Of a full training, for the relaxation of the bit widths, which shows where bits are needed."""
POLISHED = 0.25
"""Share of a batch that trains members of the front on."""
SLACK = 0.05
"""Of accuracy, by which a candidate at half-time may lie below what it has to beat at the end."""
ROOTS = (1.0, 0.0, 0.5)
"""Levels of the root's widths, one after the other if it fails: the cheapest is the most likely that can be built."""
LADDER = 16
"""Candidates spread over the space before a surrogate is asked."""


class Inherit:
    """See the module."""

    batch = 8

    def __init__(self, sweep: Sweep) -> None:
        settings = sweep.task.train
        self.child_epochs = max(1, round(PORTION * sweep.full_epochs))
        relaxed = max(1, round(RELAXED_SHARE * sweep.full_epochs))
        self.plan = Plan(settings.float_epochs, max(1, round(ROOT_SHARE * settings.epochs)), relaxed_epochs=relaxed)
        self.keys: dict[int, str] = {}  # by number of the trial: they never change
        self.tables: dict[int, dict[str, float]] = {}

    def ask(self, sweep: Sweep, ledger: Ledger, count: int) -> list[Trial]:
        """See :class:`bitsmith.flows.search.sweep.Strategy`."""
        trials = ledger.trials()
        rng = np.random.default_rng((sweep.seed, len(trials)))
        done = [t for t in trials if t.state == "complete"]
        if not done:
            return self._root(sweep, ledger, trials, rng)
        seen = self._seen(sweep, trials)
        young = sum(t.trained for t in trials) <= LADDER
        path: Path = next((t.record["path"] for t in done if t.record.get("path")), [])
        drawn = ladder(sweep, path, rng, count * 4) if young else []
        polish = self._polish(sweep, done, round(POLISHED * count) if not drawn else 0)
        for trial in polish:
            ledger.add(trial.choices, Plan(0, self.child_epochs, start=weights_of(trial)))
        wanted = count - len(polish)
        fresh: list[tuple[Choices, float | None]] = [(c, None) for c in _open(sweep, drawn, seen, wanted)]
        for choices, floor in fresh if drawn else self._scored(sweep, trials, seen, wanted, rng):
            start = weights_of(_parent(sweep, done, choices))
            ledger.add(choices, Plan(0, self.child_epochs, start, floor))
        return [t for t in ledger.trials() if t.state == "pending"]

    def _root(self, sweep: Sweep, ledger: Ledger, trials: Sequence[Trial], rng: Rng) -> list[Trial]:
        """The task as it stands, in the space's nearest values; after failures less of it, then anything else."""
        failed = sum(t.state == "failed" for t in trials)
        choices = nearest(sweep, ROOTS[failed]) if failed < len(ROOTS) else uniform(sweep.parameters, rng)
        for _ in range(POOL):
            if not sweep.why_not(choices):
                return [ledger.add(choices, self.plan)]
            choices = uniform(sweep.parameters, rng)
        return []

    def _polish(self, sweep: Sweep, done: Sequence[Trial], count: int) -> list[Trial]:
        """Members of the front that were trained least; each is trained on once, its child may be in its turn."""
        front = front_trials(sweep, done)
        parents = _parents(done)
        trained = _lineage(done, parents)
        trained_on = {p.number for t in done if (p := parents.get(t.number)) and p.choices == t.choices}
        least = sorted(front, key=lambda t: (trained[t.number], t.number))
        young = [t for t in least if trained[t.number] < sweep.full_epochs and t.number not in trained_on]
        return young[:count]

    def _seen(self, sweep: Sweep, trials: Sequence[Trial]) -> set[str]:
        """Fingerprints of all candidates that were asked for."""
        self.keys |= {t.number: _key(sweep, t.choices) for t in trials if t.number not in self.keys}
        return set(self.keys.values())

    def _scored(
        self, sweep: Sweep, trials: Sequence[Trial], seen: set[str], count: int, rng: Rng
    ) -> list[tuple[Choices, float | None]]:
        """Those of a pool that add most to the front's hypervolume, if the surrogates are right; with their floors."""
        done = [t for t in trials if t.state == "complete"]
        front = front_trials(sweep, done)
        pool = _priced_pool(sweep, children(sweep, front, rng), seen)
        if not pool.choices:
            return []
        likely = likely_to_hold(sweep, trials, pool.choices)
        pool = _Pool([pool.choices[i] for i in likely], [pool.tables[i] for i in likely])
        fresh = [t for t in done if t.number not in self.tables]
        found = prices([sweep.config(t.choices) for t in fresh])
        self.tables |= {t.number: price.value if price else {} for t, price in zip(fresh, found, strict=True)}
        fitted = Surrogates.fitted(sweep, done, [self.tables[t.number] for t in done])
        predicted = fitted.axes(pool.choices, pool.tables)
        held = sweep.axes.of([t.measures for t in front])
        picked = best_additions(held, predicted, count, seed=len(done))
        rest = [int(i) for i in rng.permutation(len(pool.choices)) if i not in picked]
        return [(pool.choices[i], _floor(sweep, front, held, predicted[i])) for i in [*picked, *rest][:count]]


def front_trials(sweep: Sweep, trials: Sequence[Trial]) -> list[Trial]:
    """The feasible ones that nobody dominates; of equal ones the first."""
    good = [t for t in trials if t.feasible]
    if not good:
        return []
    losses = sweep.goals.losses([t.measures for t in good])
    first = np.zeros(len(good), bool)
    first[np.unique(losses, axis=0, return_index=True)[1]] = True
    return [t for t, keep in zip(good, front_of(losses) & first, strict=True) if keep]


def _parents(done: Sequence[Trial]) -> dict[int, Trial]:
    """Trial -> the one whose weights it started from, where there is one."""
    by_weights = {weights_of(t): t for t in done}
    return {t.number: by_weights[t.plan.start] for t in done if t.plan and t.plan.start in by_weights}


def _lineage(done: Sequence[Trial], parents: Mapping[int, Trial]) -> dict[int, int]:
    """Epochs that went into a trial's weights, its ancestors' included."""
    total: dict[int, int] = {}
    for trial in done:
        before = total[parents[trial.number].number] if trial.number in parents else 0
        total[trial.number] = int(trial.record["epochs"]) + before
    return total


def _open(sweep: Sweep, drawn: Sequence[Choices], seen: set[str], count: int) -> list[Choices]:
    """The first ``count`` that are new and may be trained."""
    found: list[Choices] = []
    for choices in drawn:
        key = _key(sweep, choices)
        if key and key not in seen and not sweep.why_not(choices):
            seen.add(key)
            found.append(choices)
        if len(found) == count:
            break
    return found


@dataclass(frozen=True, eq=False)
class _Pool:
    choices: list[Choices]
    tables: list[dict[str, float]]


def _priced_pool(sweep: Sweep, drawn: Sequence[Choices], seen: set[str]) -> _Pool:
    """Those of the pool that are new and not refused, with their prices by table."""
    configs, kept = [], []
    known = set(seen)
    for choices in drawn:
        try:
            config = sweep.config(choices)
        except ValueError:
            continue
        key = fingerprint(config)
        if key not in known:
            known.add(key)
            configs.append(config)
            kept.append(choices)
    found = [
        (c, price.value if price else {})
        for c, config, price in zip(kept, configs, prices(configs), strict=True)
        if not refusal(price, sweep.goals_of(config))
    ]
    return _Pool([c for c, _ in found], [v for _, v in found])


def _floor(sweep: Sweep, front: Sequence[Trial], held: np.ndarray, expected: np.ndarray) -> float | None:
    """What a candidate must reach by half-time: it will be dominated by what costs no more and is more accurate."""
    if ACCURACY not in sweep.goals.objectives:
        return None
    costs = [k for k, name in enumerate(sweep.goals.objectives) if name != ACCURACY]
    cheaper = np.asarray((held[:, costs] <= expected[costs]).all(axis=1))
    best = [t.measures[ACCURACY] for t, less in zip(front, cheaper, strict=True) if less]
    return max(best) - SLACK if best else None


def _parent(sweep: Sweep, done: Sequence[Trial], choices: Choices) -> Trial:
    """The nearest that is trained: few steps away, and good at what it is."""

    def distance(trial: Trial) -> float:
        steps = sum(_steps(p, trial.choices[p.name], choices[p.name]) for p in sweep.parameters)
        return steps + 10.0 * (1.0 - trial.measures["accuracy"]) - 1e-6 * trial.number

    return min(done, key=distance)


def _steps(p: Parameter, one: Value, other: Value) -> float:
    if one == other:
        return 0.0
    return abs(p.values.index(one) - p.values.index(other)) if p.ordered else 1.0


def _key(sweep: Sweep, choices: Choices) -> str:
    try:
        return fingerprint(sweep.config(choices))
    except ValueError:
        return ""
