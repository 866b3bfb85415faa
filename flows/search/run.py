"""``bitsmith sweep``: prepare, search, build and verify the front, write everything down."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bitsmith.flows.config import TaskConfig
from bitsmith.flows.rundir import say
from bitsmith.flows.search import results
from bitsmith.flows.search.begin import Wishes, announce, locked, prepare, settings_of
from bitsmith.flows.search.executor import Executor, LocalWorkers
from bitsmith.flows.search.finish import finish, points
from bitsmith.flows.search.ledger import Ledger, Trial
from bitsmith.flows.search.page import write_sweep_page
from bitsmith.flows.search.storage import folder_id, full, open_storage, out_of_room
from bitsmith.flows.search.strategies import make_strategy
from bitsmith.flows.search.strategies.own import front_trials
from bitsmith.flows.search.sweep import Sweep, drive
from bitsmith.flows.search.view import watching
from bitsmith.flows.search.warm import warm_start
from bitsmith.models.ir.errors import DoesNotFitError, ToolError

FREE_BYTES = 50_000_000
"""Room that a sweep wants before it begins."""


def sweep(task: TaskConfig, wishes: Wishes, folder: Path, data_dir: Path | None, seed: int) -> dict[str, Any]:
    """Search, then build and verify every point of the front; the result as plain data: ``results.summary``,
    and ``report``, its page.

    The same call goes on where an earlier one was stopped.  DoesNotFitError if no
    candidate of the space can hold the limits, or none that was trained does.
    """
    wanted = prepare(task, wishes, folder, data_dir, seed)
    with locked(folder):
        try:
            return _all(wanted, wishes)
        except OSError as error:
            if full(error):
                raise out_of_room(error) from error
            raise


def _all(wanted: Sweep, wishes: Wishes) -> dict[str, Any]:
    folder = wanted.folder
    trials = search(wanted, wishes)
    front = front_trials(wanted, trials)
    if not front:
        raise DoesNotFitError(_nothing(wanted, trials))
    built = _build(wanted, wishes, front)
    rows = results.front_rows(wanted, trials, built)
    results.write_rows([results.flat(row) for row in rows], folder / "front.csv")
    results.write_rows(results.trial_rows(trials), folder / "trials.csv")
    data = results.summary(wanted, trials, rows, wishes.strategy, wishes.space)
    return {**data, "report": str(write_sweep_page(folder))}


def search(wanted: Sweep, wishes: Wishes) -> list[Trial]:
    """All trials, after as many as are wished for; nothing is built."""
    _room(wanted.folder)
    announce(wanted)
    name = f"{wanted.task.name}-{wanted.folder.resolve().name}" if wishes.storage else wanted.task.name
    ledger = Ledger(
        lambda: open_storage(wishes.storage, wanted.folder), name, wanted.parameters, wanted.goals.directions
    )
    settings = settings_of(wanted, wishes)
    if wishes.storage:
        settings["folder"] = folder_id(wanted.folder)  # a database has room for sweeps of equal names
    ledger.settle(settings)
    strategy = make_strategy(wishes.strategy, wanted)
    if wishes.warm_start is not None:
        warm_start(wanted, ledger, strategy, wishes.warm_start)
    executor = _executor(wishes)
    done = sum(t.trained for t in ledger.trials())
    if done:
        say(f"{done} trials were done before")
    try:
        with watching(wishes.trials, done) as watch:
            return drive(wanted, ledger, executor, strategy, wishes.trials, watch)
    finally:
        executor.close()


def _executor(wishes: Wishes) -> Executor:
    if wishes.ray:
        from bitsmith.flows.search.ray_workers import RayWorkers

        return RayWorkers(wishes.ray, wishes.trial_limit_s)
    return LocalWorkers(wishes.workers, wishes.trial_limit_s)


def _build(wanted: Sweep, wishes: Wishes, front: Sequence[Trial]) -> dict[int, dict[str, Any]]:
    """Here, whatever trained the trials: projects and proofs lie in the sweep's folder."""
    todo = points(wanted, front, wishes.synth)
    say(f"building and verifying {len(todo)} points of the front")
    built: dict[int, dict[str, Any]] = {}
    workers = LocalWorkers(wishes.workers)
    try:
        for number, row in finish(workers, todo):
            built[number] = row
            say(f"{len(built)}/{len(todo)}: trial {number}: {_proof(row)}")
    finally:
        workers.close()
    return built


def _proof(row: dict[str, Any]) -> str:
    if "error" in row:
        return str(row["error"])
    return f"exact on {row['samples']} rows" if row["verified"] else "NOT exact"


def _nothing(wanted: Sweep, trials: Sequence[Trial]) -> str:
    """Why there is no front."""
    complete = [t for t in trials if t.state == "complete"]
    if not complete:
        why = next((t.record.get("reason", "") for t in trials if t.state == "failed"), "nothing could be trained")
        raise ToolError(f"no trial of {len(trials)} was completed: {why}")
    best = min(complete, key=lambda t: sum(max(v, 0.0) for v in t.violations))
    return (
        f"none of {len(complete)} trained candidates holds all limits; the nearest, trial {best.number}: "
        f"{', '.join(wanted.goals.broken(best.measures))}; loosen that limit, or search on with more --trials"
    )


def _room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        raise ToolError(f"{folder} has {free / 1e6:.0f} MB left; make room for at least {FREE_BYTES / 1e6:.0f} MB")
