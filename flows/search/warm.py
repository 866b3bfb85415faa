"""A sweep that starts from the front of an earlier one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from bitsmith.flows.rundir import say
from bitsmith.flows.search.ledger import Ledger, Plan
from bitsmith.flows.search.results import SWEEP
from bitsmith.flows.search.space import Parameter, Value
from bitsmith.flows.search.sweep import TRIALS, WEIGHTS, Strategy, Sweep
from bitsmith.models.ir.errors import InputError

WARM = "warm"


def warm_start(sweep: Sweep, ledger: Ledger, strategy: Strategy, earlier: Path) -> None:
    """Adds the front in ``earlier`` as first trials, on from their weights; nothing if the sweep has begun already.

    A choice that this space does not have is brought to its nearest value, one that
    the earlier space did not have to this one's most costly.
    """
    path = earlier / SWEEP
    try:
        front = json.loads(path.read_text())["front"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"--warm-start {earlier}: no finished sweep lies there ({path}: {error})") from error
    if ledger.trials():
        return
    added = 0
    for row in front:
        choices = {p.name: _nearest(p, row["choices"].get(p.name)) for p in sweep.parameters}
        if sweep.why_not(choices):
            continue
        source = earlier / TRIALS / f"{row['trial']:05d}" / WEIGHTS
        start = None
        if source.is_file():
            start = f"{WARM}/{row['trial']:05d}.npz"
            (sweep.folder / WARM).mkdir(exist_ok=True)
            shutil.copyfile(source, sweep.folder / start)
        plan = strategy.plan
        ledger.add(choices, Plan(plan.float_epochs if start is None else 0, strategy.child_epochs, start))
        added += 1
    say(f"{added} points of the front in {earlier} come first")


def _nearest(p: Parameter, value: Value | None) -> Value:
    if value is not None and value in p.values:
        return value
    if value is None or not p.ordered or isinstance(value, str):
        return p.values[-1] if p.ordered else p.values[0]
    return min(p.values, key=lambda v: abs(float(v) - float(value)))
