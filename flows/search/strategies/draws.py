"""Where candidates come from: the task itself, the line from costly to cheap, the neighbours of a front, anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bitsmith.flows.search.ledger import Trial
from bitsmith.flows.search.space import Parameter, Value, closest
from bitsmith.flows.search.sweep import Sweep

Choices = dict[str, Value]
Rng = np.random.Generator
Path = Sequence[Mapping[str, float]]

POOL = 1500
"""Candidates that are drawn for a batch."""


def nearest(sweep: Sweep, level: float) -> Choices:
    """The task's own architecture and hardware; widths at ``level`` of their values, zeros at the opposite end."""
    found: Choices = {}
    for p in sweep.parameters:
        kind = p.name.rpartition(".")[2]
        part = {"sparsity": 1.0 - level}.get(kind, level)
        found[p.name] = p.values[round(part * (len(p.values) - 1))] if kind in LEVELLED else p.own
    return found


LEVELLED = ("bits", "weight_bits", "activation_bits", "sparsity")


def ladder(sweep: Sweep, path: Path, rng: Rng, count: int) -> list[Choices]:
    """From costly to cheap, each off the line by a step here and there; every fourth has the relaxation's widths."""
    found = []
    for number, level in enumerate(rng.permutation(np.linspace(0.05, 0.95, count))):
        choices = nearest(sweep, float(level))
        if path and number % 4 == 0:
            widths = path[round((1.0 - level) * (len(path) - 1))]
            choices |= {p.name: closest(p.values, widths[p.name]) for p in sweep.parameters if p.name in widths}
            found.append(mutated(sweep.parameters, choices, rng, 0.15))
        else:
            found.append(mutated(sweep.parameters, choices, rng, 0.5))
    return found


def uniform(parameters: Sequence[Parameter], rng: Rng) -> Choices:
    """A draw from anywhere."""
    return {p.name: p.values[rng.integers(len(p.values))] for p in parameters}


def mutated(parameters: Sequence[Parameter], choices: Choices, rng: Rng, rate: float) -> Choices:
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


def children(sweep: Sweep, front: Sequence[Trial], rng: Rng) -> list[Choices]:
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
        pool.append(mutated(sweep.parameters, one, rng, rate))
    return pool
