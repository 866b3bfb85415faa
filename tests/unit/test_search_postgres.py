"""The ledger in a real PostgreSQL, which crashes while a sweep runs."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from postgres_bench import Server, server
from sweep_bench import Bench, light, tries


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with server() as found:
        yield found


def restart(postgres: Server) -> None:
    postgres.crash()
    time.sleep(2.0)
    postgres.start()


def kill_connections(postgres: Server, how: signal.Signals) -> None:
    for pid in postgres.backends():
        os.kill(pid, how)


FAULTS: dict[str, Callable[[Server], None]] = {
    "server crashes and comes back": restart,
    "connections are killed": partial(kill_connections, how=signal.SIGKILL),  # the server throws all of them out
    "connections are ended": partial(kill_connections, how=signal.SIGTERM),
}


def test_the_same_sweep_as_in_a_journal_and_nothing_twice(postgres: Server, tmp_path: Path) -> None:
    """All three faults in one sweep of 14 trials, on 2 workers' worth of time: none is lost, none is repeated."""
    whole = Bench(tmp_path / "journal", strategy="random").drive(light)
    starts, struck = tmp_path / "starts", []

    def strike() -> None:
        for at, (name, fault) in enumerate(FAULTS.items()):
            while len(tries(starts)) < 3 * at + 2:
                time.sleep(0.02)
            fault(postgres)
            struck.append(name)

    trouble = threading.Thread(target=strike)
    trouble.start()
    bench = Bench(tmp_path / "run", strategy="random", storage=postgres.url)
    done = bench.drive(partial(light, starts=starts, seconds=0.3))
    trouble.join()
    assert struck == list(FAULTS)
    assert done.story == whole.story
    assert done.repeated == 0
    assert set(tries(starts).values()) == {1} and len(tries(starts)) == 14
    assert bench.drive(light).story == whole.story, "and there it stays"
