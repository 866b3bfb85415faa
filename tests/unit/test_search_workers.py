"""Worker processes: they may die of anything, at any time, and nothing waits for them or is lost with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from faults import large, poison, process, sleeping, square, unsendable

from bitsmith.flows.search.executor import TASKS_AT_MOST, Failure, LocalWorkers


@pytest.fixture(scope="module")
def workers() -> Iterator[LocalWorkers]:
    found = LocalWorkers(2)
    yield found
    found.close()


def ran(workers: LocalWorkers, function: Callable[[int], Any], count: int) -> dict[int, Any]:
    begun: list[int] = []
    ended = list(workers.run(function, range(count), begun.append))
    assert sorted(e.index for e in ended) == list(range(count)), "every task ends once"
    assert begun == list(range(count)), "every task begins once, in order"
    return {e.index: e.result for e in ended}


def alive(pid: int) -> bool:
    """Whether the process runs; a dead one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: list[int], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while any(alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(alive(pid) for pid in pids)


def noted(folder: Path, count: int) -> list[int]:
    end = time.monotonic() + 30
    while len(list(folder.glob("*.pids"))) < count:
        assert time.monotonic() < end, "the workers do not begin"
        time.sleep(0.02)
    return [int(pid) for path in folder.glob("*.pids") for pid in path.read_text().split()]


def test_results_come_from_as_many_workers_as_there_are(workers: LocalWorkers) -> None:
    assert ran(workers, square, 7) == {n: n * n for n in range(7)}
    assert len(workers.workers) == 2
    assert ran(workers, square, 1) == {0: 0}, "the same workers, another batch"


def test_a_process_that_has_done_many_tasks_is_replaced() -> None:
    fresh = LocalWorkers(1)
    try:
        pids = list(ran(fresh, process, 2 * TASKS_AT_MOST + 1).values())
    finally:
        fresh.close()
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [TASKS_AT_MOST, TASKS_AT_MOST, 1]


@pytest.mark.parametrize(
    ("kind", "reason", "lost"),
    [
        ("raise", "ValueError: a poisoned candidate", False),
        ("odd", "OddError: odd error", False),
        ("memory", "MemoryError", False),
        ("segfault", "the worker died (SIGSEGV)", True),
        ("kill", "the worker died (SIGKILL)", True),
        ("exit", "the worker died (exit code 7)", True),
    ],
)
def test_a_poisoned_task_spoils_nothing_else(workers: LocalWorkers, kind: str, reason: str, lost: bool) -> None:
    results = ran(workers, partial(poison, kind=kind), 6)
    failure = results.pop(2)
    assert (failure.reason, failure.lost, failure.full) == (reason, lost, False)
    assert results == {n: n for n in (0, 1, 3, 4, 5)}


def test_a_full_disk_is_told_from_other_failures(workers: LocalWorkers) -> None:
    failure = ran(workers, partial(poison, kind="full"), 3)[2]
    assert failure.full and "No space left on device" in failure.reason


def test_a_result_that_cannot_be_sent_is_a_failure(workers: LocalWorkers) -> None:
    assert "unsendable" in ran(workers, unsendable, 1)[0].reason


def test_a_worker_that_dies_idle_is_replaced(workers: LocalWorkers) -> None:
    ran(workers, square, 2)
    for worker in workers.workers:
        os.kill(worker.process.pid or 0, signal.SIGKILL)
        worker.process.join()
    assert ran(workers, square, 3) == {0: 0, 1: 1, 2: 4}


def test_half_a_message_holds_nobody_up() -> None:
    """Workers are killed while they send 50 MB: each kill costs one task at most, and none hangs."""
    workers, kills = LocalWorkers(1), 3

    def kill() -> None:
        for _ in range(kills):
            time.sleep(0.2)
            for worker in list(workers.workers):
                with suppress(ProcessLookupError):  # it is being replaced
                    os.kill(worker.process.pid or 0, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        results = ran(workers, large, 15)
    finally:
        killer.join()
        workers.close()
    lost = [r for r in results.values() if isinstance(r, Failure)]
    assert len(lost) <= kills and {r.reason for r in lost} <= {"the worker died (SIGKILL)"}
    assert all(r[:1] == bytes([n]) for n, r in results.items() if not isinstance(r, Failure))


def test_a_task_that_takes_too_long_is_ended_with_its_tools(tmp_path: Path) -> None:
    workers = LocalWorkers(1, limit_s=2.5)
    [ended] = workers.run(partial(sleeping, seconds=600, folder=str(tmp_path)), [0])
    assert isinstance(ended.result, Failure) and ended.result.reason == "took longer than 2.5 s"
    assert gone(noted(tmp_path, 1))
    workers.close()


def test_an_interrupted_batch_is_ended_with_its_tools(tmp_path: Path) -> None:
    workers = LocalWorkers(2)
    main = threading.main_thread().ident or 0

    def interrupt() -> None:
        noted(tmp_path, 2)
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        list(workers.run(partial(sleeping, seconds=600, folder=str(tmp_path)), [0, 1]))
    began = time.monotonic()
    workers.close()
    assert gone(noted(tmp_path, 2)) and time.monotonic() - began < 5


DRIVER = """
import sys
from functools import partial
from bitsmith.flows.search.executor import LocalWorkers
from faults import sleeping

if __name__ == "__main__":
    list(LocalWorkers(2).run(partial(sleeping, seconds=5, folder=sys.argv[1]), [0, 1]))
"""


def test_workers_do_not_outlive_a_driver_that_is_killed(tmp_path: Path) -> None:
    """Their tools end by themselves: nobody is left who could end them."""
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    path = os.pathsep.join(sys.path)
    driver = subprocess.Popen([sys.executable, script, tmp_path], env={**os.environ, "PYTHONPATH": path})
    noted(tmp_path, 2)
    workers = [int(p.read_text().split()[0]) for p in tmp_path.glob("*.pids")]
    assert len(workers) == 2 and all(alive(pid) for pid in workers)
    driver.kill()
    driver.wait()
    assert gone(workers, 2.0)
