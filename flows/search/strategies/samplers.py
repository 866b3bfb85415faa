"""Optuna's samplers as strategies: every candidate is trained in full, from nothing.

Constraints are read from the trials, where the ledger has written them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from bitsmith.flows.search.ledger import Ledger, Plan, Trial
from bitsmith.flows.search.sweep import Sweep
from bitsmith.models.ir.errors import InputError

BATCH = 10
REFUSED_AT_MOST = 200
"""In a row: then the sampler finds nothing that may be trained."""
GRID_AT_MOST = 100_000
POPULATION = 20


class Sampled:
    """A sampler made anew for every candidate, seeded by its number: no state but the ledger's."""

    batch = BATCH

    def __init__(self, sweep: Sweep, make: Callable[[Sweep, int], Any]) -> None:
        self.make = make
        self.count = math.prod(len(p.values) for p in sweep.parameters)
        self.child_epochs = sweep.task.train.epochs
        self.plan = Plan(float_epochs=sweep.task.train.float_epochs, epochs=sweep.task.train.epochs)

    def ask(self, sweep: Sweep, ledger: Ledger, count: int) -> list[Trial]:
        """See :class:`bitsmith.flows.search.sweep.Strategy`; what even its low bounds keep out is refused."""
        found: list[Trial] = []
        refused = 0
        before = ledger.trials()
        number, seen = len(before), {tuple(t.choices.values()) for t in before}
        while len(found) < count and refused < REFUSED_AT_MOST:
            if self.make is grid and len(seen) == self.count:  # Optuna's would begin again
                break
            trial = ledger.ask(self.make(sweep, sweep.seed * 1_000_003 + number), self.plan)
            number += 1
            seen.add(tuple(trial.choices.values()))
            reason = sweep.why_not(trial.choices)
            if reason:
                ledger.end(trial.number, "refused", {"reason": reason})
                refused += 1
            else:
                found.append(trial)
                refused = 0
        return found


def random(sweep: Sweep, seed: int) -> Any:
    """Uniform draws."""
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=seed)


def grid(sweep: Sweep, seed: int) -> Any:
    """Every combination once, in an order by the seed; InputError where there are too many."""
    from optuna.samplers import GridSampler

    count = math.prod(len(p.values) for p in sweep.parameters)
    if count > GRID_AT_MOST:
        raise InputError(
            f"a grid of {count:.3g} candidates is too large (at most {GRID_AT_MOST:,}); "
            'give a space with fewer values, or with per = "net"'
        )
    values = {p.name: list(range(len(p.values))) if p.ordered else list(p.values) for p in sweep.parameters}
    return GridSampler(values, seed=sweep.seed)


def tpe(sweep: Sweep, seed: int) -> Any:
    """Tree-structured Parzen estimators."""
    from optuna.samplers import TPESampler

    return TPESampler(seed=seed)


def nsga2(sweep: Sweep, seed: int) -> Any:
    """NSGA-II."""
    from optuna.samplers import NSGAIISampler

    return NSGAIISampler(population_size=POPULATION, seed=seed)


def nsga3(sweep: Sweep, seed: int) -> Any:
    """NSGA-III."""
    from optuna.samplers import NSGAIIISampler

    return NSGAIIISampler(population_size=POPULATION, seed=seed)
