"""A sweep under faults: what is lost, what is repeated, and that nothing is counted twice.

Trials are light functions here, so that every place may be hit; tests/tools/test_sweep_killed.py
does the same to real processes that train.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sweep_bench import Bench, light, once, poisoned, tries

from bitsmith.flows.search.executor import LocalWorkers
from bitsmith.flows.search.storage import JOURNAL
from bitsmith.models.ir.errors import ToolError


class StopError(BaseException):
    """As a SIGKILL of the driver: nothing catches it."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """The sweep of a strategy that nothing has happened to."""
    found: dict[str, Any] = {}

    def get(strategy: str) -> Any:
        if strategy not in found:
            bench = Bench(tmp_path_factory.getbasetemp() / "whole" / strategy, strategy=strategy)
            bench.folder.parent.mkdir(exist_ok=True)
            found[strategy] = bench.drive(light)
        return found[strategy]

    return get


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Fault], None]]:
    """Sets a fault at the journal's writes."""
    from optuna.storages.journal import JournalFileBackend

    write = JournalFileBackend.append_logs

    def install(fault: Fault) -> None:
        monkeypatch.setattr(
            JournalFileBackend, "append_logs", lambda self, logs: fault(partial(write, self), self, logs)
        )

    yield install
    monkeypatch.setattr(JournalFileBackend, "append_logs", write)


class Fault:
    """Strikes at write number ``at`` and at the next ``times - 1``: before it, after it, or with half a line."""

    def __init__(self, at: int, where: str, error: Callable[[], BaseException], times: int = 1) -> None:
        self.at, self.where, self.error, self.times = at, where, error, times
        self.writes = 0

    def __call__(self, write: Callable[[Any], None], backend: Any, logs: Any) -> None:
        self.writes += 1
        if not 0 <= self.writes - self.at < self.times:
            write(logs)
            return
        if self.where == "after":
            write(logs)
        if self.where == "half":
            with Path(backend._file_path).open("ab") as file:
                file.write(b'{"op_code":6,"worker_id":"x","tri')
        raise self.error()


def writes_of(bench: Bench, cut: Callable[[Fault], None]) -> int:
    """Writes of a sweep that nothing happens to."""
    none = Fault(0, "before", StopError)
    cut(none)
    bench.drive(light)
    return none.writes


PLACES = [("inherit", "before"), ("inherit", "after"), ("inherit", "half"), ("random", "half"), ("tpe", "after")]


@pytest.mark.parametrize(("strategy", "where"), PLACES)
def test_a_driver_killed_at_any_write_goes_on_to_the_same_front(
    strategy: str, where: str, tmp_path: Path, cut: Callable[[Fault], None], whole: Callable[[str], Any]
) -> None:
    """At a write in eleven (all of them: nightly).  The one that ran is lost and run again, no other."""
    killed_everywhere(strategy, where, 11, tmp_path, cut, whole(strategy))


@pytest.mark.nightly
@pytest.mark.parametrize(("strategy", "where"), PLACES)
def test_a_driver_killed_at_every_write_goes_on_to_the_same_front(
    strategy: str, where: str, tmp_path: Path, cut: Callable[[Fault], None], whole: Callable[[str], Any]
) -> None:
    killed_everywhere(strategy, where, 1, tmp_path, cut, whole(strategy))


def killed_everywhere(
    strategy: str, where: str, step: int, tmp_path: Path, cut: Callable[[Fault], None], whole: Any
) -> None:
    writes = writes_of(Bench(tmp_path / "counted", strategy=strategy), cut)
    assert writes > 14 * 4
    for at in range(1 + len(strategy + where) % step, writes + 1, step):
        bench = Bench(tmp_path / f"{at}", strategy=strategy)
        starts = tmp_path / f"starts{at}"
        cut(Fault(at, where, StopError))
        with pytest.raises(StopError):
            bench.drive(partial(light, starts=starts))
        done = bench.drive(partial(light, starts=starts))  # the fault has struck: the same command again
        assert done.story == whole.story
        assert done.front == whole.front
        assert done.full_trainings == whole.full_trainings, "a trial that was run twice counts once"
        again = sum(tries(starts).values()) - len(done.trials)
        assert again <= 1 and set(tries(starts)) == {t.number for t in done.trials}
        assert again <= done.repeated <= 1, "begun in the ledger before it is begun: stopped between, it counts too"


def test_a_driver_that_is_killed_again_and_again_comes_to_the_same_front(
    tmp_path: Path, cut: Callable[[Fault], None], whole: Callable[[str], Any]
) -> None:
    """Every 9th write is its last: each life of it gets on, the 14 trials are done in the end, each once."""
    bench, starts = Bench(tmp_path / "run"), tmp_path / "starts"
    lives, done = 0, None
    while done is None:
        lives += 1
        cut(Fault(9, "half", StopError))
        try:
            done = bench.drive(partial(light, starts=starts))
        except StopError:
            assert lives < 100, "no life gets on"
    assert done.story == whole("inherit").story
    assert lives > 5
    assert sum(tries(starts).values()) - 14 <= done.repeated < lives


@pytest.mark.parametrize("strategy", ["random", "inherit"])
def test_the_same_trials_on_one_worker_or_three(strategy: str, tmp_path: Path, whole: Callable[[str], Any]) -> None:
    bench = Bench(tmp_path / "run", strategy=strategy)
    assert bench.drive(light, LocalWorkers(3)).story == whole(strategy).story


@pytest.mark.parametrize(
    ("kind", "reason", "runs"),
    [
        ("raise", "ValueError: a poisoned candidate", 1),
        ("odd", "OddError: odd error", 1),
        ("nan", "ToolError: the loss is nan in epoch 1: training diverged", 1),
        ("memory", "MemoryError", 1),
        ("segfault", "the worker died (SIGSEGV)", 2),
        ("kill", "the worker died (SIGKILL)", 2),
    ],
)
def test_a_poisoned_trial_fails_with_its_reason_and_the_rest_goes_on(
    kind: str, reason: str, runs: int, tmp_path: Path, workers: Workers
) -> None:
    """One that kills its worker is tried once more, as the machine may have been short of memory."""
    bench, starts = Bench(tmp_path / "run", strategy="random"), tmp_path / "starts"
    done = bench.drive(partial(poisoned, number=4, kind=kind, starts=starts), workers())
    assert done.states == {"complete": 13, "failed": 1}
    assert done.trials[4].record["reason"] == reason
    assert done.repeated == done.trials[4].repeats == runs - 1
    assert tries(starts) == Counter({**dict.fromkeys(range(14), 1), 4: runs})


Workers = Callable[[], Any]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """Two workers for all tests: they load the bench once."""
    kept = LocalWorkers(2)

    class Kept:
        run = staticmethod(kept.run)

        def close(self) -> None:
            pass

    yield Kept
    kept.close()


@pytest.mark.parametrize("strategy", ["random", "inherit"])
@pytest.mark.parametrize("kind", ["segfault", "kill"])
def test_a_trial_whose_worker_is_killed_once_is_run_again(
    strategy: str, kind: str, tmp_path: Path, workers: Workers, whole: Callable[[str], Any]
) -> None:
    bench, starts = Bench(tmp_path / "run", strategy=strategy), tmp_path / "starts"
    train = partial(once, number=5, kind=kind, mark=tmp_path / "mark", starts=starts)
    done = bench.drive(train, workers())
    assert done.story == whole(strategy).story
    assert (done.repeated, done.trials[5].repeats) == (1, 1)
    assert tries(starts) == Counter({**dict.fromkeys(range(14), 1), 5: 2})


@pytest.mark.parametrize("where", ["before", "after", "half"])
def test_a_storage_that_is_away_is_waited_for(
    where: str, tmp_path: Path, cut: Callable[[Fault], None], whole: Callable[[str], Any]
) -> None:
    """Three times in a row, at any write; cut before it is written, half-way, or before the answer."""
    bench, starts = Bench(tmp_path / "run", strategy="random"), tmp_path / "starts"
    fault = Fault(30, where, lambda: OSError(errno.ESTALE, "Stale file handle"), times=2)
    cut(fault)
    done = bench.drive(partial(light, starts=starts))
    assert fault.writes > 32
    assert done.story == whole("random").story
    assert done.repeated == 0 and set(tries(starts).values()) == {1}


def test_patience_has_an_end(tmp_path: Path, cut: Callable[[Fault], None], whole: Callable[[str], Any]) -> None:
    bench = Bench(tmp_path / "run", strategy="random", patience_s=0.3)
    cut(Fault(30, "before", lambda: ConnectionError("gone"), times=1000))
    with pytest.raises(ToolError, match=r"the storage has been away for 0 s \(ConnectionError: gone\)") as caught:
        bench.drive(light)
    assert caught.value.exit_code == 4 and "the same command goes on" in str(caught.value)
    cut(Fault(0, "before", StopError))
    assert bench.drive(light).story == whole("random").story


@pytest.mark.parametrize("at", [1, 2, 3, 20, 41, 42, 43, 44, 45])
def test_a_full_disk_ends_the_sweep_and_room_lets_it_go_on(
    at: int, tmp_path: Path, cut: Callable[[Fault], None], whole: Callable[[str], Any]
) -> None:
    bench, starts = Bench(tmp_path / "run", strategy="random"), tmp_path / "starts"
    cut(Fault(at, "half", lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), times=1000))
    with pytest.raises(ToolError, match=r"the disk is full.*make room and give the same command again"):
        bench.drive(partial(light, starts=starts))
    journal = bench.folder / JOURNAL
    assert journal.read_bytes()[-1:] in (b"", b"\n"), "half a line is taken back at once"
    cut(Fault(0, "before", StopError))
    done = bench.drive(partial(light, starts=starts))
    assert done.story == whole("random").story
    assert done.repeated <= 1 and sum(tries(starts).values()) - 14 <= done.repeated


def test_a_disk_that_is_full_where_nets_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial is not told, so that it is run again; nothing half stays under its name."""
    bench = Bench(tmp_path / "run", strategy="random")
    write, left = Path.write_bytes, [10]

    def full(self: Path, data: bytes) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ToolError, match="the disk is full"):
        bench.drive(light)
    monkeypatch.undo()
    kept = sorted(path.name for path in (bench.folder / "trials").iterdir() if path.suffix != ".tmp")
    assert kept == ["00000", "00001", "00002"], "three files each: the tenth was the first of the fourth"
    done = bench.drive(light)
    assert done.states == {"complete": 14} and done.repeated == 1
    assert not list((bench.folder / "trials").glob("*.tmp"))


def test_a_disk_that_is_full_where_trials_run_is_not_the_trials_fault(tmp_path: Path, workers: Workers) -> None:
    bench = Bench(tmp_path / "run", strategy="random")
    with pytest.raises(ToolError, match=r"the disk is full.*No space left on device"):
        bench.drive(partial(poisoned, number=4, kind="full"), workers())
    assert bench.drive(light).states == {"complete": 14}


@pytest.mark.nightly
def test_generations_go_on_where_they_stopped(tmp_path: Path, cut: Callable[[Fault], None]) -> None:
    """NSGA-II over 48 trials, three generations of 20: parents are the same after a stop anywhere."""
    bench = Bench(tmp_path / "whole", strategy="nsga2", trials=48)
    writes = writes_of(bench, cut)
    whole = bench.drive(light)
    for at in range(7, writes, 23):
        stopped = Bench(tmp_path / f"{at}", strategy="nsga2", trials=48)
        cut(Fault(at, "half", StopError))
        with pytest.raises(StopError):
            stopped.drive(light)
        assert stopped.drive(light).story == whole.story
