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
from bitsmith.flows.search.space import Parameter, Value, closest
from bitsmith.flows.search.strategies.gain import best_additions
from bitsmith.flows.search.strategies.surrogate import Surrogates
from bitsmith.flows.search.sweep import Sweep, weights_of

Choices = dict[str, Value]
Rng = np.random.Generator
Path = Sequence[Mapping[str, float]]

PORTION = 0.08
"""Of a full training, per trial: 200 trials cost less than 20 trainings."""
ROOT_SHARE = 0.5
"""Of a full training, for the root: everything descends from it."""
RELAXED_SHARE = 0.1
"""Of a full training, for the relaxation of the bit widths, which shows where bits are needed."""
POOL = 1500
POLISHED = 0.25
"""Share of a batch that trains members of the front on."""
SLACK = 0.05
"""Of accuracy, by which a candidate at half-time may lie below what it has to beat at the end."""
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

    def ask(self, sweep: Sweep, ledger: Ledger, count: int) -> list[Trial]:
        """See :class:`bitsmith.flows.search.sweep.Strategy`."""
        trials = ledger.trials()
        rng = np.random.default_rng((sweep.seed, len(trials)))
        done = [t for t in trials if t.state == "complete"]
        if not done:
            return self._root(sweep, ledger, trials, rng)
        seen = {_key(sweep, t.choices) for t in trials}
        young = sum(t.trained for t in trials) <= LADDER
        path: Path = next((t.record["path"] for t in done if t.record.get("path")), [])
        drawn = _ladder(sweep, path, rng, count * 4) if young else []
        polish = self._polish(sweep, done, round(POLISHED * count) if not drawn else 0)
        for trial in polish:
            ledger.add(trial.choices, Plan(0, self.child_epochs, start=weights_of(trial)))
        wanted = count - len(polish)
        fresh: list[tuple[Choices, float | None]] = [(c, None) for c in _open(sweep, drawn, seen, wanted)]
        for choices, floor in fresh if drawn else _scored(sweep, done, seen, wanted, rng):
            start = weights_of(_parent(sweep, done, choices))
            ledger.add(choices, Plan(0, self.child_epochs, start, floor))
        return [t for t in ledger.trials() if t.state == "pending"]

    def _root(self, sweep: Sweep, ledger: Ledger, trials: Sequence[Trial], rng: Rng) -> list[Trial]:
        """The task as it stands, in the space's nearest values; after a failure anything else that may be trained."""
        choices = nearest(sweep, 1.0) if not trials else uniform(sweep.parameters, rng)
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


def nearest(sweep: Sweep, level: float) -> Choices:
    """The task's own architecture and hardware; widths at ``level`` of their values, zeros at the opposite end."""
    found: Choices = {}
    for p in sweep.parameters:
        kind = p.name.rpartition(".")[2]
        part = {"sparsity": 1.0 - level}.get(kind, level)
        found[p.name] = p.values[round(part * (len(p.values) - 1))] if kind in LEVELLED else p.own
    return found


LEVELLED = ("bits", "weight_bits", "activation_bits", "sparsity")


def _ladder(sweep: Sweep, path: Path, rng: Rng, count: int) -> list[Choices]:
    """From costly to cheap, each off the line by a step here and there; every fourth has the relaxation's widths."""
    found = []
    for number, level in enumerate(rng.permutation(np.linspace(0.05, 0.95, count))):
        choices = nearest(sweep, float(level))
        if path and number % 4 == 0:
            widths = path[round((1.0 - level) * (len(path) - 1))]
            choices |= {p.name: closest(p.values, widths[p.name]) for p in sweep.parameters if p.name in widths}
            found.append(_mutated(sweep.parameters, choices, rng, 0.15))
        else:
            found.append(_mutated(sweep.parameters, choices, rng, 0.5))
    return found


def uniform(parameters: Sequence[Parameter], rng: Rng) -> Choices:
    """A draw from anywhere."""
    return {p.name: p.values[rng.integers(len(p.values))] for p in parameters}


def _mutated(parameters: Sequence[Parameter], choices: Choices, rng: Rng, rate: float) -> Choices:
    """Each parameter with probability ``rate``: an ordered one to a neighbour, mostly the next, others anywhere."""
    found = dict(choices)
    for p in parameters:
        if rng.random() >= rate:
            continue
        at = p.values.index(choices[p.name])
        step = int(rng.choice([-2, -1, -1, -1, 1, 1, 1, 2]))
        to = at + step if p.ordered else int(rng.integers(len(p.values)))
        found[p.name] = p.values[min(max(to, 0), len(p.values) - 1)]
    return found


def _children(sweep: Sweep, front: Sequence[Trial], rng: Rng) -> list[Choices]:
    """A pool around the front: mutants, mutants of crossings, and some from anywhere."""
    pool: list[Choices] = []
    rate = max(0.15, 1.5 / len(sweep.parameters))
    for _ in range(POOL):
        kind = rng.random()
        if kind < 0.15 or not front:
            pool.append(uniform(sweep.parameters, rng))
            continue
        one = front[int(rng.integers(len(front)))].choices
        if kind < 0.5:
            other = front[int(rng.integers(len(front)))].choices
            one = {name: value if rng.random() < 0.5 else other[name] for name, value in one.items()}
        pool.append(_mutated(sweep.parameters, one, rng, rate))
    return pool


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


def _scored(
    sweep: Sweep, done: Sequence[Trial], seen: set[str], count: int, rng: Rng
) -> list[tuple[Choices, float | None]]:
    """Those of the pool that add most to the front's hypervolume, if the surrogates are right; each with its floor."""
    front = front_trials(sweep, done)
    pool = _priced_pool(sweep, _children(sweep, front, rng), seen)
    if not pool.choices:
        return []
    tables = [price.value if price else {} for price in prices([sweep.config(t.choices) for t in done])]
    predicted = Surrogates.fitted(sweep, done, tables).axes(pool.choices, pool.tables)
    held = sweep.axes.of([t.measures for t in front])
    picked = best_additions(held, predicted, count, seed=len(done))
    rest = [int(i) for i in rng.permutation(len(pool.choices)) if i not in picked]
    return [(pool.choices[i], _floor(sweep, front, held, predicted[i])) for i in [*picked, *rest][:count]]


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
