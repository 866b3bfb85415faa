"""What a sweep is, and the driver: it asks a strategy, sends trials to workers, and writes down what comes back."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import bitsmith
from bitsmith.flows.config import TaskConfig
from bitsmith.flows.rundir import code_digest, say
from bitsmith.flows.search.candidate import config_of, fingerprint
from bitsmith.flows.search.executor import Executor, Failure
from bitsmith.flows.search.goals import Axes, Goals
from bitsmith.flows.search.ledger import STARTS, Ledger, Plan, Trial
from bitsmith.flows.search.relaxation import relaxation
from bitsmith.flows.search.screen import prices, refusal
from bitsmith.flows.search.space import Parameter, Value
from bitsmith.flows.search.storage import full, out_of_room
from bitsmith.flows.search.trial import NET_FILES, Outcome, Request, StoppedError, run_trial
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import Board
from bitsmith.models.ir.errors import InputError

TRIALS = "trials"
WEIGHTS = "weights.npz"
REPEATS_AT_MOST = 1
"""A trial whose worker died is tried so often again: the machine may have been short of memory."""


@cache
def _board(name: str) -> Board:
    """A board read once: thousands of candidates ask for it."""
    return load_board(name)


@dataclass(frozen=True)
class Sweep:
    """What is searched, for what, with what."""

    task: TaskConfig
    parameters: tuple[Parameter, ...]
    goals: Goals
    axes: Axes
    folder: Path
    data_dir: str | None
    data_sha256: str
    seed: int

    @property
    def full_epochs(self) -> int:
        """Of the task's own training: what one full training costs."""
        return self.task.train.float_epochs + self.task.train.epochs

    def config(self, choices: Mapping[str, Value]) -> TaskConfig:
        """The task of a candidate; ValueError if no net is like that."""
        return config_of(self.task, choices)

    def why_not(self, choices: Mapping[str, Value]) -> str:
        """Why a candidate is not to be trained: no net is like that, or it is too large by low bounds; "" if it is."""
        try:
            config = self.config(choices)
        except ValueError as error:
            return " ".join(str(error).split())[:300]
        return refusal(prices([config])[0], self.goals_of(config))

    def goals_of(self, config: TaskConfig) -> Goals:
        """The limits on the candidate's own board, where the space has several."""
        return self.goals.on(_board(config.hardware.board))

    def request(self, trial: Trial, plan: Plan) -> Request:
        """What a worker needs for a trial."""
        config = self.config(trial.choices)
        train = config.train.model_copy(update={"float_epochs": max(1, plan.float_epochs), "epochs": plan.epochs})
        start = self._weights(plan.start) if plan.start else None
        plain = config.model_copy(update={"train": train}).model_dump(mode="json", by_alias=True)
        free = relaxation(config, self.parameters, plan.relaxed_epochs) if plan.relaxed_epochs else None
        return Request(trial.number, plain, start, plan.floor, self.data_dir, self.data_sha256, free)

    def _weights(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError as error:
            raise InputError(
                f"{error.filename} is gone, and trials start from it; begin anew with another --out"
            ) from error


class Strategy(Protocol):
    """Decides what is trained next, by the ledger alone, so that a sweep that was stopped goes on alike."""

    batch: int
    """Trials that are decided upon together: a number of the strategy's own, so that workers change nothing."""

    child_epochs: int
    """Epochs of a trial that starts from weights."""

    @property
    def plan(self) -> Plan:
        """How a candidate is trained from nothing."""

    def ask(self, sweep: Sweep, ledger: Ledger, count: int) -> Sequence[Trial]:
        """At most ``count`` candidates, none of them refused; none at all if the space is used up."""


Watch = Callable[[Sweep, list[Trial]], None]
Train = Callable[[Request], Outcome]


def drive(
    sweep: Sweep,
    ledger: Ledger,
    executor: Executor,
    strategy: Strategy,
    trials: int,
    watch: Watch,
    train: Train = run_trial,
) -> list[Trial]:
    """Trains until ``trials`` candidates are done; all trials.  ``watch`` sees them after each.

    What an earlier run left undone is run first, so that the strategy sees the same
    as if that run had not been stopped.  ``train`` makes an outcome of a request,
    wherever the executor calls it.
    """
    left = [t for t in ledger.trials() if t.state == "pending"]
    while True:
        _run(sweep, ledger, executor, [(t, t.plan or strategy.plan) for t in left], watch, train)
        done = sum(t.trained for t in ledger.trials())
        if done >= trials:
            break
        with ledger.together():
            left = list(strategy.ask(sweep, ledger, min(strategy.batch, trials - done)))
        if not left:
            say(f"the space is used up after {done} trials")
            break
    return ledger.trials()


def _run(
    sweep: Sweep,
    ledger: Ledger,
    executor: Executor,
    pending: Sequence[tuple[Trial, Plan]],
    watch: Watch,
    train: Train,
) -> None:
    """A batch, until every trial of it has an end; one whose worker died is run once more."""
    died: Counter[int] = Counter()
    while pending:
        lost = []
        trials = [ledger.trial(t.number) for t, _ in pending]
        requests = [sweep.request(t, plan) for t, plan in pending]

        def began(index: int, trials: list[Trial] = trials) -> None:
            ledger.note(trials[index].number, **{STARTS: trials[index].starts + 1})

        for ended in executor.run(train, requests, began):
            trial, result = trials[ended.index], ended.result
            if isinstance(result, Failure) and result.full:
                raise out_of_room(OSError(result.reason))
            if isinstance(result, Failure) and result.lost and died[trial.number] < REPEATS_AT_MOST:
                say(f"trial {trial.number}: {result.reason}; it is run again")
                died[trial.number] += 1
                lost.append(pending[ended.index])
                continue
            if isinstance(result, Failure):
                _failed(ledger, trial, result)
            else:
                _complete(sweep, ledger, trial, result)
            watch(sweep, ledger.trials())
        pending = lost


def _failed(ledger: Ledger, trial: Trial, failure: Failure) -> None:
    if isinstance(failure.error, StoppedError):
        ledger.end(trial.number, "stopped", {"reason": failure.error.reason, "epochs": failure.error.epochs})
        return
    say(f"trial {trial.number} failed: {failure.reason}")
    ledger.end(trial.number, "failed", {"reason": failure.reason})


def _complete(sweep: Sweep, ledger: Ledger, trial: Trial, outcome: Outcome) -> None:
    config = sweep.config(trial.choices)
    measures = outcome.worth.measures
    _keep(sweep.folder / place(TRIALS, trial.number), outcome)
    record = {
        "measures": measures,
        "accuracy_test": outcome.worth.accuracy_test,
        "figures": outcome.worth.figures,
        "weights_kept": outcome.worth.weights_kept,
        "epochs": outcome.epochs,
        "path": list(outcome.path),
        "seconds": outcome.seconds,
        "net_sha256": outcome.net_sha256,
        "config_sha256": fingerprint(config),
        "data_sha256": sweep.data_sha256,
        "seed": config.train.seed,
        "version": bitsmith.__version__,
        "code_sha256": code_digest("models", "hls", "flows"),
    }
    values = [measures[name] for name in sweep.goals.objectives]
    ledger.complete(trial.number, values, sweep.goals_of(config).violations(measures), record)


def _keep(folder: Path, outcome: Outcome) -> None:
    """Net and weights of a trial, all or nothing."""
    half = folder.with_name(folder.name + ".tmp")
    try:
        shutil.rmtree(half, ignore_errors=True)
        (half / "net").mkdir(parents=True)
        for name in NET_FILES:
            (half / "net" / name).write_bytes(outcome.net[name])
        (half / WEIGHTS).write_bytes(outcome.weights)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(half, folder)
    except OSError as error:
        if full(error):
            raise out_of_room(error) from error
        raise


def place(folder: str, number: int) -> str:
    """What belongs to trial ``number`` in a subfolder of the sweep's, relative to that."""
    return f"{folder}/{number:05d}"


def weights_of(trial: Trial) -> str:
    """File of a trial's weights, relative to the sweep's folder."""
    return f"{place(TRIALS, trial.number)}/{WEIGHTS}"
