"""Sample efficiency of the sweep's strategies: hypervolume against full trainings spent, over seeds.

    python scripts/bench_sweep.py digits --board ulx3s-85f --seeds 5 --out DIR
    python scripts/bench_sweep.py fashion --backend rtl-folded --target-ii 1000 --epochs 0.5 --out DIR

Every strategy searches the same space with the same goals; the reference of the hypervolume is the same.  All have
--trials trials, or as many as follow the name (``nsga2:100``): of ``random``, ``tpe`` and ``nsga2`` each is a full
training, of ``inherit`` a small part of one.
Goes on where it was stopped; prints the tables as Markdown.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

from search_task import add_task, figure_at, task_of

from bitsmith.flows.rundir import say
from bitsmith.flows.search.begin import Wishes, locked, prepare
from bitsmith.flows.search.results import history
from bitsmith.flows.search.run import search

STEPS = (2, 5, 10, 20, 50, 100, 200)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_task(parser)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--strategies", default="inherit,random,tpe,nsga2")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    curves = {}
    for text in args.strategies.split(","):
        name, _, count = text.partition(":")
        curves[name] = [run(args, name, int(count or args.trials), seed) for seed in seeds]
    print(tables(args, curves))


def run(args: argparse.Namespace, strategy: str, trials: int, seed: int) -> list[dict[str, float]]:
    """The history of one sweep; kept in a file once it is complete."""
    folder = args.out / f"{args.task}-{strategy}-{seed}"
    kept = folder / f"history-{trials}.json"
    if kept.is_file():
        return list(json.loads(kept.read_text()))
    wishes = Wishes(trials=trials, workers=args.workers, space=args.space, strategy=strategy)
    say(f"{folder.name}: {trials} trials")
    sweep = prepare(task_of(args), wishes, folder, args.data_dir, seed)
    with locked(folder):
        curve = history(sweep, search(sweep, wishes))
    kept.write_text(json.dumps(curve))
    return curve


def reached(curve: list[dict[str, float]], level: float, key: str) -> float | None:
    """Full trainings until the hypervolume is at least ``level``; None if it never is."""
    return next((row["full_trainings"] for row in curve if row[key] >= level), None)


def tables(args: argparse.Namespace, curves: dict[str, list[list[dict[str, float]]]]) -> str:
    parts = []
    for key, title in (("hypervolume", "validation rows, which the search sees"), ("hypervolume_test", "test rows")):
        lines = [f"### {args.task}: hypervolume by {title}, mean of {args.seeds} seeds (least, most)", ""]
        lines.append("| full trainings | " + " | ".join(map(str, STEPS)) + " | spent |")
        lines.append("|---" * (len(STEPS) + 2) + "|")
        for name, runs in curves.items():
            spent = statistics.mean(c[-1]["full_trainings"] for c in runs)
            last = next((s for s in STEPS if s >= spent), STEPS[-1])  # later columns would say the same again
            cells = [spread([figure_at(c, s, key) for c in runs]) if s <= last else "" for s in STEPS]
            lines.append(f"| `{name}` | {' | '.join(cells)} | {spent:.0f} |")
        own = curves.get("inherit", [])
        for name in [n for n in curves if own and n != "inherit"]:
            costs = [reached(one, other[-1][key], key) for one, other in zip(own, curves[name], strict=True)]
            said = ", ".join("never" if c is None else f"{c:.1f}" for c in costs)
            lines += ["", f"Full trainings until `inherit` has what `{name}` of the same seed ends with: {said}."]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def spread(values: list[float]) -> str:
    return f"{statistics.mean(values):.4f} ({min(values):.4f}, {max(values):.4f})"


if __name__ == "__main__":
    main()
