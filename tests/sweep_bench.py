"""Sweeps for tests: a tiny task, light functions in place of training, faults that strike when they are told to."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from faults import POISONS

from bitsmith.flows.config import TaskConfig, read_config
from bitsmith.flows.search.begin import Wishes, prepare, settings_of
from bitsmith.flows.search.executor import Began, Ended, Executor, attempt
from bitsmith.flows.search.ledger import Ledger, Trial
from bitsmith.flows.search.results import history
from bitsmith.flows.search.storage import open_storage
from bitsmith.flows.search.strategies import make_strategy
from bitsmith.flows.search.strategies.own import front_trials
from bitsmith.flows.search.sweep import Sweep, drive
from bitsmith.flows.search.trial import NET_FILES, Outcome, Request, packed
from bitsmith.flows.search.worth import Worth
from bitsmith.models.zoo import task_path

SPACE = "[bits]\nweights = [2, 3, 4]\nactivations = [2, 4]\n[sparsity]\nvalues = [0.0, 0.5, 0.8]\n"
"""3 * 3 widths of weights, 2 of activations, 3 * 3 sparsities: 162 candidates of digits."""
SMALL_SPACE = '[bits]\nweights = [2, 4]\nactivations = [2, 4]\nper = "net"\n'
"""4 candidates."""


def tiny_task(float_epochs: int = 1, epochs: int = 4) -> TaskConfig:
    """Digits in few epochs: well under a second once TensorFlow is loaded."""
    config = read_config(task_path("digits"))
    train = config.train.model_copy(update={"float_epochs": float_epochs, "epochs": epochs, "batch_size": 128})
    hardware = config.hardware.model_copy(update={"backends": ("rtl-unrolled",)})
    return config.model_copy(update={"train": train, "hardware": hardware})


@cache
def _prepared(space: str, strategy: str, seed: int, folder: Path) -> tuple[Sweep, Wishes]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "space.toml").write_text(space)
    wishes = Wishes(space=str(folder / "space.toml"), strategy=strategy)
    return prepare(tiny_task(), wishes, folder, None, seed), wishes


@dataclass(frozen=True)
class Bench:
    """A sweep in ``folder``, which is driven as ``bitsmith sweep`` drives it, but for the training."""

    folder: Path
    trials: int = 14
    strategy: str = "inherit"
    seed: int = 3
    space: str = SPACE
    storage: str | None = None
    patience_s: float = 20.0

    def sweep(self) -> tuple[Sweep, Wishes]:
        found, wishes = _prepared(self.space, self.strategy, self.seed, self.folder.parent / "prepared")
        self.folder.mkdir(exist_ok=True)
        return replace(found, folder=self.folder), wishes

    def ledger(self) -> Ledger:
        sweep, wishes = self.sweep()
        opened = partial(open_storage, self.storage, self.folder)
        ledger = Ledger(opened, "bench", sweep.parameters, sweep.goals.directions, self.patience_s)
        ledger.settle(settings_of(sweep, wishes))
        return ledger

    def drive(self, train: Callable[[Request], Outcome], executor: Executor | None = None) -> Result:
        """Begins, or goes on; closes the executor."""
        sweep, wishes = self.sweep()
        executor = executor or Here()
        try:
            strategy = make_strategy(wishes.strategy, sweep)
            trials = drive(sweep, self.ledger(), executor, strategy, self.trials, lambda s, t: None, train)
        finally:
            executor.close()
        return Result(sweep, trials)


@dataclass(frozen=True)
class Result:
    """What came of it."""

    sweep: Sweep
    trials: list[Trial]

    @property
    def states(self) -> Counter[str]:
        return Counter(t.state for t in self.trials)

    @property
    def repeated(self) -> int:
        return sum(t.repeats for t in self.trials)

    @property
    def story(self) -> list[tuple[Any, ...]]:
        """Everything about every trial that must not depend on faults or workers: its candidate, plan and net."""
        return [(t.number, t.state, t.choices, t.plan, t.measures, t.record.get("net_sha256")) for t in self.trials]

    @property
    def front(self) -> list[tuple[int, str]]:
        return [(t.number, t.record["net_sha256"]) for t in front_trials(self.sweep, self.trials)]

    @property
    def full_trainings(self) -> float:
        return history(self.sweep, self.trials)[-1]["full_trainings"]


class Here:
    """An executor without processes."""

    def run(
        self, function: Callable[[Any], Any], arguments: Sequence[Any], began: Began | None = None
    ) -> Iterator[Ended[Any]]:
        for index, argument in enumerate(arguments):
            if began is not None:
                began(index)
            yield Ended(index, attempt(function, argument))

    def close(self) -> None:
        pass


def light(request: Request, starts: Path | None = None, seconds: float = 0.0) -> Outcome:
    """An outcome that depends on the whole request and on nothing else; ``starts`` counts the calls."""
    if starts is not None:
        starts.mkdir(exist_ok=True)
        (starts / f"{request.number:05d}-{time.monotonic_ns()}-{os.getpid()}").touch()
    time.sleep(seconds)
    asked = json.dumps(request.config, sort_keys=True).encode() + (request.start or b"")
    asked += repr(request.relaxation).encode()
    name = hashlib.sha256(asked).hexdigest()
    rng = np.random.default_rng(int(name[:12], 16))
    bits = sum(int(layer.get("weight_bits") or 0) for layer in request.config["net"]["layers"])
    costs = {"lut": 200 * bits, "ff": 90, "dsp": 0, "bram": 0, "latency_cycles": 5, "ii_cycles": 1}
    more = {"latency_ns": 50.0 + bits, "energy_uj": 0.1 * bits, "power_mw": 9.0, "fmax_mhz": 100.0}
    figures = {k: {"value": float(v), "low": 0.9 * v, "high": 1.1 * v} for k, v in {**costs, **more}.items()}
    weights = {"hidden/0": rng.normal(size=(64, 40))}
    epochs = request.config["train"]["epochs"]
    accuracy = float(1 - rng.uniform(0.05, 0.1) / (1 + bits))
    net = {file: name.encode() for file in NET_FILES}
    free = request.relaxation.free if request.relaxation else ()
    path = tuple({p: width for p, _ in free} for width in rng.uniform(2, 4, 3)) if free else ()
    return Outcome(
        *(request.number, Worth(accuracy, accuracy, figures, 3000, 1500), epochs, name, seconds),
        path=path,
        net=net,
        weights=packed(weights),
    )


def poisoned(request: Request, number: int, kind: str, starts: Path | None = None) -> Outcome:
    """``light``, but for trial ``number``."""
    if request.number == number:
        light(request, starts)
        POISONS[kind]()
    return light(request, starts)


def once(request: Request, number: int, kind: str, mark: Path, starts: Path | None = None) -> Outcome:
    """``light``, but for the first try of trial ``number``."""
    if request.number == number and not mark.exists():
        mark.touch()
        return poisoned(request, number, kind, starts)
    return light(request, starts)


def tries(starts: Path) -> Counter[int]:
    """How often each trial was begun in truth, whatever the ledger says."""
    return Counter(int(path.name[:5]) for path in starts.glob("*"))
