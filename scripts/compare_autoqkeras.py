"""AutoQKeras (QKeras 0.9.0) beside `bitsmith sweep`: same task, network, rows, widths and budget of training.

    TF_USE_LEGACY_KERAS=1 python scripts/compare_autoqkeras.py digits --seeds 2 --out runs/autoqkeras --sweep runs/sweep

It needs keras-tuner==1.4.8 beside the packages of bitsmith[keras,sweep].  Every trial that can be lowered is priced
as a sweep prices its own, so that hypervolumes are of the same cube.  One line a trial is added to a file in --out;
the same command goes on where an earlier one was stopped, and prints the table.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from autoqkeras_search import Plan, Tried, budget_epochs, float_weights, search
from search_task import add_task, figure_at, task_of

from bitsmith.flows.config import TaskConfig
from bitsmith.flows.rundir import say, write_json
from bitsmith.flows.search.begin import Wishes, locked, prepare
from bitsmith.flows.search.ledger import Trial
from bitsmith.flows.search.results import history
from bitsmith.flows.search.space import BitsPart, read_space
from bitsmith.flows.search.strategies.own import PORTION, front_trials
from bitsmith.flows.search.sweep import Sweep
from bitsmith.flows.search.worth import proved, worth_of
from bitsmith.models import data as datasets
from bitsmith.models.data.dataset import Dataset
from bitsmith.models.ir.errors import BitsmithError, InputError
from bitsmith.models.train.split import Split, check_data, split

Row = dict[str, Any]

COLUMNS = ("search", "seed", "trials", "candidates", "lowered", "best accuracy", "of it on test rows", "on the front")


def measured(model: Any, task: TaskConfig, parts: Split, data: Dataset) -> Row:
    """What a QKeras model is worth as hardware; BitsmithError if it cannot be, or is not what QKeras computes."""
    from bitsmith.models.lower import qkeras

    net = proved(qkeras.lowered(model, name=task.name, head=task.hardware.output), parts.x_check)
    worth = worth_of(net, task, parts, data)
    found = {name: getattr(worth, name) for name in ("accuracy", "accuracy_test", "weights_kept")}
    return {**found, "measures": worth.measures}


def read_rows(path: Path) -> list[Row]:
    """The trials in a file; a line that was left half written is cut off."""
    if not path.is_file():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        path.write_bytes(whole)
    return [json.loads(line) for line in whole.splitlines()]


def append(path: Path, row: Row) -> None:
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")
        file.flush()
        os.fsync(file.fileno())


def as_trials(rows: Sequence[Row], sweep: Sweep) -> list[Trial]:
    """The rows as a sweep's ledger has its own; the first bears the epochs of the float baseline as well."""
    trials = []
    for index, row in enumerate(rows):
        record = {**row, "epochs": row["epochs"] + (0 if index else sweep.task.train.float_epochs)}
        lowered = "measures" in row
        broken = tuple(sweep.goals.violations(row["measures"])) if lowered else ()
        trials.append(Trial(row["trial"], "complete" if lowered else "failed", {}, None, broken, record, 0))
    return trials


def at(curve: Sequence[Mapping[str, float]], full_trainings: float, key: str = "hypervolume") -> float | None:
    """Hypervolume after so many full trainings; None if the search has not come so far."""
    if not curve or curve[-1]["full_trainings"] < full_trainings - 0.5:
        return None
    return figure_at(curve, full_trainings, key)


def run(sweep: Sweep, plan: Plan, bits: BitsPart, data: Dataset, folder: Path) -> list[Row]:
    """The trials of one search, those that an earlier run has done included."""
    task, path = sweep.task, folder / "trials.jsonl"
    asked = {name: value for name, value in vars(plan).items() if name != "budget_epochs"}  # that may grow
    settings = {"plan": asked, "seed": sweep.seed, "bits": bits.model_dump(mode="json")}
    _settle(folder / "settings.json", {**settings, "task": task.model_dump(mode="json")})
    rows = read_rows(path)
    parts = split(data, task.train.validation_share, task.train.seed)
    began = [time.monotonic()]

    def spent() -> int:
        return task.train.float_epochs + sum(row["epochs"] for row in rows)

    def tell(done: Tried | int, why: str) -> None:
        row: Row = {"trial": done, "epochs": 0, "reason": why, "where": "AutoQKeras"}
        if isinstance(done, Tried):
            row = {"trial": done.number, "epochs": done.epochs, "score": done.score, "cost": done.cost}
            row["quantizers"] = done.quantizers
            try:
                row |= measured(done.model, task, parts, data)
            except BitsmithError as error:
                row |= {"reason": " ".join(str(error).split()), "where": "lowering"}
        rows.append({**row, "seconds": time.monotonic() - began[0]})
        began[0] = time.monotonic()
        rows[-1]["full_trainings"] = spent() / sweep.full_epochs
        append(path, rows[-1])
        say(_progress(rows, sweep, plan))

    with locked(folder), (folder / "autoqkeras.log").open("a") as log:
        from bitsmith.models.train.keras import QKeras

        with QKeras().seeded(task.train.seed):
            baseline = float_weights(task, parts, folder / "baseline.npz")
            known = {row["trial"]: row["score"] for row in rows if "score" in row}
            with redirect_stdout(log):  # every layer of every trial
                search(task, plan, bits, parts, baseline, folder / "tuner", spent, known, tell)
    return rows


def _settle(path: Path, settings: Row) -> None:
    plain = json.loads(json.dumps(settings))
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and json.loads(path.read_text()) != plain:
        raise InputError(f"{path.parent} holds a search with other settings; give another --out")
    write_json(path, plain)


def _progress(rows: Sequence[Row], sweep: Sweep, plan: Plan) -> str:
    row, budget = rows[-1], plan.budget_epochs / sweep.full_epochs
    said = row.get("reason") or f"accuracy {row['accuracy']:.4f}, {row['measures']['lut']:,.0f} LUT"
    rate = sum(r["seconds"] for r in rows) / max(row["full_trainings"], 1e-9)
    left = rate * max(0.0, budget - row["full_trainings"])
    return f"trial {row['trial']}: {said}; {row['full_trainings']:.2f}/{budget:g} full trainings, {left:.0f} s left"


def table_row(name: str, rows: Sequence[Row], sweep: Sweep, points: Sequence[float]) -> list[str]:
    trials = as_trials(rows, sweep)
    good = [row for row in rows if "measures" in row]
    best = max(good, key=lambda row: row["accuracy"]) if good else None
    share = [f"{best['accuracy']:.2%}", f"{best['accuracy_test']:.2%}"] if best else ["-", "-"]
    curve = history(sweep, trials)
    different = Counter(json.dumps(row["quantizers"], sort_keys=True) for row in rows if "quantizers" in row)
    counts = [str(len(rows)), _different(different), str(len(good))]
    cells = [name, str(sweep.seed), *counts, *share, str(len(front_trials(sweep, trials)))]
    return [*cells, *_volumes(curve, points), f"{sum(row['seconds'] for row in rows):,.0f}"]


def _different(counted: Counter[str]) -> str:
    """How many candidates there are, and how often the most frequent one was trained."""
    most = max(counted.values(), default=0)
    return f"{len(counted)} (one {most} times)" if most > 1 else str(len(counted))


def _volumes(curve: Sequence[Mapping[str, float]], points: Sequence[float], ended: bool = False) -> list[str]:
    look = figure_at if ended else at
    found = [(look(curve, n, "hypervolume"), look(curve, n, "hypervolume_test")) for n in points]
    return ["-" if a is None or b is None else f"{a:.4f} ({b:.4f})" for a, b in found]


def sweep_row(folder: Path, sweep: Sweep, points: Sequence[float]) -> list[str]:
    """The same columns of a finished sweep; InputError if its hypervolume is of another cube."""
    done = json.loads((folder / "sweep.json").read_text())
    mine = {"objectives": list(sweep.goals.objectives), "ideal": dict(sweep.axes.ideal)}
    mine |= {"reference": dict(sweep.axes.reference)}
    if any(done[key] != value for key, value in mine.items()):
        raise InputError(f"--sweep {folder}: another task, board, space or limit; its hypervolume cannot be compared")
    best = max(done["front"], key=lambda row: row["accuracy_validation"])
    share = [f"{best['accuracy_validation']:.2%}", f"{best['accuracy']:.2%}"]
    rows = json.loads((folder / "trials.json").read_text())
    seconds = f"{sum(row.get('seconds') or 0.0 for row in rows):,.0f}"
    different = Counter(row["config_sha256"] for row in rows if row.get("config_sha256"))
    counts = [str(done["trials"]), _different(different), str(done["complete"])]
    seed = next(str(row["seed"]) for row in rows if row.get("seed") is not None)
    cells = ["`bitsmith sweep`", seed, *counts, *share, str(len(done["front"]))]
    return [*cells, *_volumes(done["history"], points, ended=True), seconds]


def main() -> None:
    args = arguments().parse_args()
    from bitsmith.models.train.keras import single_thread

    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    single_thread()
    # of QKeras's layers, whose fresh weights are written over by those of the float model
    warnings.filterwarnings("ignore", message="The initializer GlorotUniform is unseeded")
    names = [*COLUMNS, *(f"hypervolume at {n:g} (test rows)" for n in args.points), "seconds"]
    table = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    reasons: Counter[str] = Counter()
    data = datasets.load(task_of(args).data.name, args.data_dir)
    for seed in args.seeds:
        sweep = prepared(args, seed)
        check_data(sweep.task.net, data)
        portion = args.trial_epochs or max(1, round(PORTION * sweep.full_epochs))
        budget = budget_epochs(args.budget, sweep.full_epochs)
        plan = Plan(args.goal, args.tuner, args.quantizers, args.training, portion, budget)
        kind = f"{plan.goal}, {plan.tuner}, {plan.quantizers} quantizers, {plan.training} training, {portion} epochs"
        folder = sweep.folder / f"{args.task}-{kind.replace(', ', '-').replace(' ', '-')}-seed{seed}"
        rows = run(sweep, plan, read_space(args.space).bits, data, folder)
        reasons.update(f"{row['where']}: {row['reason']}" for row in rows if "reason" in row)
        table.append("| " + " | ".join(table_row(f"AutoQKeras: {kind}", rows, sweep, args.points)) + " |")
        table += [
            "| " + " | ".join(sweep_row(f, sweep, args.points)) + " |" for f in args.sweep if seed == args.seeds[0]
        ]
    print("\n".join(table))
    for why, count in reasons.most_common():
        print(f"\n{count} x {why}")


def prepared(args: argparse.Namespace, seed: int) -> Sweep:
    """The task as a sweep has it: goals, limits and the cube of the hypervolume."""
    task = task_of(args)
    if args.no_zeros:
        task = task.model_copy(update={"train": task.train.model_copy(update={"final_sparsity": 0.0})})
    limits = tuple((name, float(value)) for name, _, value in (text.partition("=") for text in args.limit))
    return prepare(task, Wishes(space=args.space, limits=limits), args.out, args.data_dir, seed)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_task(parser)
    parser.add_argument("--goal", choices=("energy", "bits"), default="energy", help="AutoQKeras's own second goal")
    parser.add_argument("--tuner", choices=("bayesian", "random"), default="bayesian")
    parser.add_argument("--quantizers", choices=("task", "own"), default="task", help="own: AutoQKeras's defaults")
    parser.add_argument("--training", choices=("task", "keras"), default="task", help="keras: model.fit, no zeros")
    parser.add_argument("--no-zeros", action="store_true", help="a task without pruning")
    parser.add_argument("--budget", type=float, default=20.0, help="in full trainings of the task")
    parser.add_argument("--trial-epochs", type=int, help="default: those of a sweep's trial")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--limit", action="append", default=[], metavar="NAME=VALUE", help="as of the sweep")
    parser.add_argument("--points", type=float, nargs="+", default=[5.0, 10.0, 20.0], help="columns of hypervolume")
    parser.add_argument("--sweep", type=Path, nargs="*", default=[], help="folders of finished sweeps")
    parser.add_argument("--out", type=Path, default=Path("runs/autoqkeras"))
    return parser


if __name__ == "__main__":
    try:
        main()
    except BitsmithError as error:
        sys.exit(str(error))
