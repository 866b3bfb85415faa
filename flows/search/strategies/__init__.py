"""Strategies by name: what is trained next."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from bitsmith.flows.search.strategies.own import Inherit
from bitsmith.flows.search.strategies.samplers import Sampled, grid, nsga2, nsga3, random, tpe
from bitsmith.flows.search.sweep import Strategy, Sweep
from bitsmith.models.ir.errors import InputError

DEFAULT = "inherit"
STRATEGIES: dict[str, Callable[[Sweep], Strategy]] = {
    "inherit": Inherit,
    "random": lambda sweep: Sampled(sweep, random),
    "grid": lambda sweep: Sampled(sweep, grid),
    "tpe": lambda sweep: Sampled(sweep, tpe),
    "nsga2": lambda sweep: Sampled(sweep, nsga2),
    "nsga3": lambda sweep: Sampled(sweep, nsga3),
}


def make_strategy(name: str, sweep: Sweep) -> Strategy:
    """The strategy called ``name``; InputError with the nearest names."""
    if name not in STRATEGIES:
        near = difflib.get_close_matches(name, STRATEGIES, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"there is no strategy {name!r}; {hint}there are: {', '.join(STRATEGIES)}")
    return STRATEGIES[name](sweep)
