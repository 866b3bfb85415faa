"""One worker here against two nodes of a Ray cluster, one core each: ``sweep_ray.py digits --trials 24``.

Prints the line of docs/sweeps-faults.md: whether every trial has the same net, whether the front is the
same, and the seconds of both.  The nodes are on this machine: other load on it shows.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bitsmith.flows.config import TaskConfig, read_config
from bitsmith.flows.search.begin import Wishes, prepare
from bitsmith.flows.search.executor import Executor, LocalWorkers
from bitsmith.flows.search.ledger import Ledger, Trial
from bitsmith.flows.search.ray_workers import RayWorkers
from bitsmith.flows.search.storage import open_storage
from bitsmith.flows.search.strategies import make_strategy
from bitsmith.flows.search.strategies.own import front_trials
from bitsmith.flows.search.sweep import Sweep, drive
from bitsmith.models.zoo import task_path


def searched(sweep: Sweep, wishes: Wishes, folder: Path, executor: Executor) -> tuple[list[Trial], float]:
    """The trials, and the seconds from the first request to the last answer, loading of TensorFlow included."""
    folder.mkdir()
    sweep = replace(sweep, folder=folder)
    ledger = Ledger(partial(open_storage, None, folder), "ray", sweep.parameters, sweep.goals.directions)
    strategy = make_strategy(wishes.strategy, sweep)
    began = time.monotonic()
    try:
        trials = drive(sweep, ledger, executor, strategy, wishes.trials, lambda _, trials: None)
    finally:
        executor.close()
    return trials, time.monotonic() - began


def compared(task: TaskConfig, wishes: Wishes, seed: int, data_dir: Path | None) -> dict[str, Any]:
    """Both ways, with the same seed."""
    from ray.cluster_utils import Cluster

    with tempfile.TemporaryDirectory() as name:
        sweep = prepare(task, wishes, Path(name), data_dir, seed)
        alone, seconds_here = searched(sweep, wishes, Path(name) / "here", LocalWorkers(1))
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        try:
            cluster.add_node(num_cpus=1)
            cluster.wait_for_nodes()
            nodes = len(cluster.list_all_nodes())
            spread, seconds_ray = searched(sweep, wishes, Path(name) / "ray", RayWorkers(cluster.address))
        finally:
            cluster.shutdown()
        front = [[(t.number, t.record["net_sha256"]) for t in front_trials(sweep, ts)] for ts in (alone, spread)]
        nets = [[t.record.get("net_sha256") for t in ts] for ts in (alone, spread)]
        return {
            "trials": len(alone),
            "nodes": nodes,
            "same_nets": nets[0] == nets[1],
            "same_front": front[0] == front[1],
            "front": len(front[0]),
            "repeated": sum(t.repeats for t in spread),
            "seconds_one_worker": round(seconds_here, 1),
            "seconds_two_nodes": round(seconds_ray, 1),
            "speed_up": round(seconds_here / seconds_ray, 2),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", help="a task, or a config .toml")
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--space", default="bits+sparsity")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    config = read_config(Path(args.task) if args.task.endswith(".toml") else task_path(args.task))
    wishes = Wishes(trials=args.trials, space=args.space)
    found = compared(config, wishes, args.seed, args.data_dir)
    if args.json:
        print(json.dumps(found))
        return
    print("| " + " | ".join(found) + " |\n" + "|---" * len(found) + "|")
    print("| " + " | ".join(str(value) for value in found.values()) + " |")


if __name__ == "__main__":
    main()
