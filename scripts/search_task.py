"""What the scripts that compare searches have in common: the task, how long a full training is, figures of a curve."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from bitsmith.flows.config import TaskConfig, read_config
from bitsmith.flows.options import Options, resolve_hardware
from bitsmith.flows.search.space import DEFAULT_SPACE
from bitsmith.models.zoo import task_path, tasks


def add_task(parser: argparse.ArgumentParser) -> None:
    """The arguments that :func:`task_of` reads, and the space, whose cube the hypervolume is of."""
    parser.add_argument("task", choices=tasks())
    parser.add_argument("--board", default="ulx3s-85f")
    parser.add_argument("--backend", default="rtl-unrolled")
    parser.add_argument("--target-ii", type=int)
    parser.add_argument("--clock-mhz", type=float)
    parser.add_argument("--space", default=DEFAULT_SPACE, help="its widths vary, and hypervolume is of its cube")
    parser.add_argument("--epochs", type=float, default=1.0, help="share of the task's epochs that a full training has")
    folder = os.environ.get("BITSMITH_DATA")
    parser.add_argument("--data-dir", type=Path, default=Path(folder) if folder else None)


def task_of(args: argparse.Namespace) -> TaskConfig:
    """The task on the board of the arguments, with their share of its epochs."""
    config = read_config(task_path(args.task))
    options = Options(board=args.board, backends=(args.backend,), target_ii=args.target_ii, clock_mhz=args.clock_mhz)
    train = config.train
    scaled = {name: max(1, round(args.epochs * getattr(train, name))) for name in ("float_epochs", "epochs")}
    return config.model_copy(
        update={"hardware": resolve_hardware(config, options), "train": train.model_copy(update=scaled)}
    )


def figure_at(curve: Sequence[Mapping[str, float]], full_trainings: float, key: str = "hypervolume") -> float:
    """A figure after so many full trainings; the last one where the search ended before, 0 where nothing was spent."""
    before = [row for row in curve if row["full_trainings"] <= full_trainings + 1e-9]
    return before[-1].get(key, 0.0) if before else 0.0
