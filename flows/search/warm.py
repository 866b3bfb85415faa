"""A sweep that starts from the front of an earlier one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from bitsmith.flows.report import SWEEP
from bitsmith.flows.rundir import say
from bitsmith.flows.search.ledger import Ledger, Plan
from bitsmith.flows.search.space import closest
from bitsmith.flows.search.sweep import TRIALS, WEIGHTS, Strategy, Sweep, place
from bitsmith.models.ir.errors import InputError

WARM = "warm"


def warm_start(sweep: Sweep, ledger: Ledger, strategy: Strategy, earlier: Path) -> None:
    """Adds the front in ``earlier`` as first trials, on from their weights; nothing if the sweep has begun already.

    A choice that this space does not have is brought to its nearest value, one that
    the earlier space did not have is the task's own.
    """
    path = earlier / SWEEP
    try:
        front = json.loads(path.read_text())["front"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"--warm-start {earlier}: no finished sweep lies there ({path}: {error})") from error
    if ledger.trials():
        return
    added = 0
    with ledger.together():
        for row in front:
            choices = {p.name: closest(p.values, row["choices"].get(p.name, p.own)) for p in sweep.parameters}
            if sweep.why_not(choices):
                continue
            source = earlier / place(TRIALS, row["trial"]) / WEIGHTS
            start = None
            if source.is_file():
                start = place(WARM, row["trial"]) + ".npz"
                (sweep.folder / WARM).mkdir(exist_ok=True)
                shutil.copyfile(source, sweep.folder / start)
            plan = strategy.plan
            ledger.add(choices, Plan(plan.float_epochs if start is None else 0, strategy.child_epochs, start))
            added += 1
    say(f"{added} points of the front in {earlier} come first")
