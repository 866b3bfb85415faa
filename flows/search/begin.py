"""From what the user asks for to a sweep that is ready to run; everything wrong is said before any work."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.flows.config import TaskConfig
from bitsmith.flows.rundir import say, writable_folder
from bitsmith.flows.search.goals import ACCURACY, DEFAULT_OBJECTIVES, Axes, Goals, make_goals
from bitsmith.flows.search.screen import BY_TABLE, Price, prices, refusal
from bitsmith.flows.search.space import DEFAULT_SPACE, Parameter, parameters, read_space
from bitsmith.flows.search.strategies import DEFAULT
from bitsmith.flows.search.strategies.draws import nearest, uniform
from bitsmith.flows.search.sweep import Sweep
from bitsmith.hls.boards import load_board
from bitsmith.models import data as datasets
from bitsmith.models.ir.errors import DoesNotFitError, InputError

PRICED = (*BY_TABLE, "finn")
VALIDATION_SHARE = 0.2
"""Of the training rows, unless the task puts more aside: a search chooses by them, so neighbours must differ there."""
DRAWS = 4000
"""Candidates that are priced before a space is said to hold none that is feasible."""
AXES_DRAWS = 500
BASE_ACCURACY = 0.5
"""Reference of the hypervolume where no limit says what is too low."""


@dataclass(frozen=True)
class Wishes:
    """What the command line says about a sweep, apart from MODEL and hardware."""

    trials: int = 200
    workers: int = 2
    space: str = DEFAULT_SPACE
    strategy: str = DEFAULT
    objectives: tuple[str, ...] = DEFAULT_OBJECTIVES
    limits: tuple[tuple[str, float], ...] = ()
    storage: str | None = None
    ray: str | None = None
    warm_start: Path | None = None
    synth: int = 0  # points of the front to synthesise
    trial_limit_s: float | None = None


def prepare(task: TaskConfig, wishes: Wishes, folder: Path, data_dir: Path | None, seed: int) -> Sweep:
    """The sweep of a task; DoesNotFitError naming the limit if no candidate of the space can hold it."""
    writable_folder(folder)
    backend = task.hardware.backends[0]
    if backend not in PRICED:
        raise InputError(f"{backend} has no price to search by; take --backend {', '.join(PRICED)}")
    share = max(VALIDATION_SHARE, task.train.validation_share)
    task = task.model_copy(
        update={
            "train": task.train.model_copy(update={"seed": seed, "validation_share": share}),
            "hardware": task.hardware.model_copy(update={"backends": (backend,)}),
        }
    )
    space = parameters(read_space(wishes.space), task)
    goals = make_goals(wishes.objectives, dict(wishes.limits), load_board(task.hardware.board))
    dataset = datasets.load(task.data.name, data_dir)
    place = str(data_dir) if data_dir else None
    sweep = Sweep(task, space, goals, Axes(goals.objectives, {}, {}), folder, place, dataset.sha256, seed)
    _feasible_or_raise(sweep)
    return replace(sweep, axes=_axes(sweep))


def settings_of(sweep: Sweep, wishes: Wishes) -> dict[str, Any]:
    """What must not change when a sweep goes on."""
    return {
        "task": sweep.task.model_dump(mode="json", by_alias=True),
        "space": {p.name: list(p.values) for p in sweep.parameters},
        "objectives": list(sweep.goals.objectives),
        "limits": dict(sweep.goals.limits),
        "strategy": wishes.strategy,
        "data_sha256": sweep.data_sha256,
        "seed": sweep.seed,
    }


def _feasible_or_raise(sweep: Sweep) -> None:
    """Prices thousands of draws and the cheapest corner; DoesNotFitError if even the low bounds of all break limits."""
    rng = np.random.default_rng(sweep.seed)
    drawn = [nearest(sweep, 0.0), nearest(sweep, 1.0), *(uniform(sweep.parameters, rng) for _ in range(DRAWS))]
    priced: list[Price] = []
    for configs in _in_parts(sweep, drawn):
        found = prices(configs)
        if any(not refusal(price, sweep.goals_of(config)) for config, price in zip(configs, found, strict=True)):
            return
        priced += [price for price in found if price is not None]
    if not priced:
        raise InputError("no candidate of this space is a network; correct its architecture part")
    board = sweep.task.hardware.board
    where = f"no candidate of this space is feasible on {board}, of {len(priced):,} that were priced"
    lows = [price.low for price in priced if not price.problem]
    if not lows:
        raise DoesNotFitError(f"{where}: {priced[0].problem}, or another backend")
    raise DoesNotFitError(
        f"{where}: {_binding(sweep.goals, lows)}; raise the limit, take a larger board, or a space with cheaper values"
    )


def _in_parts(sweep: Sweep, drawn: Sequence[Mapping[str, Any]], size: int = 100) -> Iterator[list[TaskConfig]]:
    """Configs of those that are networks, a part at a time: mostly the first one settles it."""
    for start in range(0, len(drawn), size):
        part = []
        for choices in drawn[start : start + size]:
            try:
                part.append(sweep.config(choices))
            except ValueError:
                continue
        if part:
            yield part


def _binding(goals: Goals, lows: Sequence[Mapping[str, float]]) -> str:
    """The limits that the cheapest breaks, each with the least that any candidate takes of it."""
    names = [
        name
        for name, bound in goals.limits.items()
        if name != ACCURACY and name in lows[0] and min(low[name] for low in lows) > bound
    ]
    if not names:
        return "each limit can be held, but no candidate holds all of them: " + "; ".join(goals.broken(lows[0]))
    return ", ".join(
        f"{name} is limited to {goals.limits[name]:,.6g}, the least is {min(low[name] for low in lows):,.6g}"
        for name in names
    )


def _axes(sweep: Sweep) -> Axes:
    """Ideal and reference from the prices by table of hundreds of draws and the costliest corner.

    The reference of a cost is twice the highest of them, or the limit where that is
    less; its ideal is an eighth of the lowest: a table knows no weights, and a net of
    many zeros was seen to cost a quarter of what it says.
    """
    rng = np.random.default_rng(0)  # not the sweep's seed: hypervolumes of several seeds are to be compared
    drawn = [nearest(sweep, 0.0), nearest(sweep, 1.0), *(uniform(sweep.parameters, rng) for _ in range(AXES_DRAWS))]
    tables = [p.value for part in _in_parts(sweep, drawn) for p in prices(part) if p is not None]
    ideal, reference = {ACCURACY: 1.0}, {ACCURACY: sweep.goals.limits.get(ACCURACY, BASE_ACCURACY)}
    for name in sweep.goals.objectives:
        if name != ACCURACY:
            values = [t[name] for t in tables if t.get(name, 0.0) > 0.0] or [1e-3, 1e6]
            reference[name] = min(2 * max(values), sweep.goals.limits.get(name) or np.inf)
            ideal[name] = min(min(values) / 8, reference[name] / 8)
    return Axes(sweep.goals.objectives, ideal, reference)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One driver a folder; InputError if another one is at work."""
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(f"another sweep is at work in {folder}; wait for it, or give another --out") from error
        yield


def parameter_text(space: Sequence[Parameter]) -> str:
    """The space in a line."""
    count = float(np.prod([float(len(p.values)) for p in space]))
    return f"{len(space)} parameters, {count:.3g} candidates: {', '.join(p.name for p in space)}"


def announce(sweep: Sweep) -> None:
    """Says what is about to be searched."""
    say(f"{sweep.task.name}: {parameter_text(sweep.parameters)}")
