"""What people see while a sweep runs: a bar with the time left, and the front as it grows; on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bitsmith.flows.rundir import say
from bitsmith.flows.search.ledger import Trial
from bitsmith.flows.search.strategies.own import front_trials
from bitsmith.flows.search.sweep import Sweep

SHOWN = 20
"""Rows of the live table at most."""
QUIET_S = 15.0
"""Seconds between two lines where standard error is no terminal."""

Watch = Callable[[Sweep, list[Trial]], None]


@contextmanager
def watching(total: int, done: int) -> Iterator[Watch]:
    """A function that shows the trials so far: a live table on a terminal, else a line now and then."""
    if not sys.stderr.isatty():
        yield _lines(total)
        return
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    task = bar.add_task("trials", total=total, completed=done, note="")
    with Live(bar, console=Console(stderr=True), refresh_per_second=4, redirect_stdout=False) as live:

        def watch(sweep: Sweep, trials: list[Trial]) -> None:
            front = front_trials(sweep, trials)
            bar.update(task, completed=sum(t.trained for t in trials), note=_note(sweep, trials, front))
            live.update(Group(_table(sweep, front), bar))

        yield watch


def _lines(total: int) -> Watch:
    began, shown = time.monotonic(), [0.0]
    first: list[int] = []

    def watch(sweep: Sweep, trials: list[Trial]) -> None:
        done = sum(t.trained for t in trials)
        first.append(done)
        now = time.monotonic()
        if now - shown[0] < QUIET_S and done < total:
            return
        shown[0] = now
        fresh = done - first[0] + 1
        left = (total - done) * (now - began) / fresh
        say(f"{done}/{total} trials, {left:.0f} s left; {_note(sweep, trials, front_trials(sweep, trials))}")

    return watch


def _note(sweep: Sweep, trials: Sequence[Trial], front: Sequence[Trial]) -> str:
    spent = sum(int(t.record.get("epochs", 0)) for t in trials) / sweep.full_epochs
    volume = sweep.axes.hypervolume([t.measures for t in front])
    return f"{len(front)} on the front, hypervolume {volume:.4f}, {spent:.1f} full trainings"


def _table(sweep: Sweep, front: Sequence[Trial]) -> Any:
    from rich.table import Table

    table = Table(title=f"{sweep.task.name} on {sweep.task.hardware.board}: the front so far")
    names = ("trial", *sweep.goals.objectives)
    for name in names:
        table.add_column(name, justify="right")
    ordered = sorted(front, key=lambda t: -t.measures["accuracy"])
    step = max(1, -(-len(ordered) // SHOWN))
    for t in ordered[::step]:
        table.add_row(str(t.number), *(f"{t.measures[name]:.5g}" for name in sweep.goals.objectives))
    return table
