"""Train tasks over several seeds and print the table of docs/tasks.md: ``train_table.py digits mnist --seeds 3``."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from bitsmith.flows.config import read_config
from bitsmith.models.data import load
from bitsmith.models.train import train
from bitsmith.models.zoo import task_path, tasks

COLUMNS = ("task", "seed", "float", "quantized", "difference", "weights", "zero", "not zero", "seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="+", choices=tasks())
    parser.add_argument("--seeds", type=int, default=3)
    folder = os.environ.get("BITSMITH_DATA")
    parser.add_argument("--data-dir", type=Path, default=Path(folder) if folder else None)
    args = parser.parse_args()
    print("| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|")
    for name in args.tasks:
        config = read_config(task_path(name))
        data = load(config.data.name, args.data_dir)
        for seed in range(args.seeds):
            with tempfile.TemporaryDirectory() as out:
                done = train(config.net, data, config.train.model_copy(update={"seed": seed}), Path(out))
            left = round(done.weights * (1 - done.sparsity))
            points = 100 * (done.accuracy_quantized - done.accuracy_float)
            print(
                f"| {name} | {seed} | {done.accuracy_float:.2%} | {done.accuracy_quantized:.2%} | {points:+.2f} "
                f"| {done.weights:,} | {done.sparsity:.1%} | {left:,} | {done.seconds:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
