"""Real sweeps, which train in real processes, killed in every way; the same command goes on to the same front."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from postgres_bench import Server, server
from sweep_bench import SPACE, tiny_task

from bitsmith.flows.config import write_config

pytestmark = pytest.mark.nightly

ROOT = Path(__file__).resolve().parent.parent.parent
TRIALS = 16


@dataclass(frozen=True)
class Command:
    """``bitsmith sweep`` of a tiny task; ``begin`` it as often as you like."""

    out: Path
    workers: int = 2
    options: tuple[str, ...] = ()

    def begin(self) -> subprocess.Popen[str]:
        """In a process group of its own, as a shell starts it."""
        self.out.parent.mkdir(exist_ok=True, parents=True)
        task, space = self.out.parent / "tiny.toml", self.out.parent / "space.toml"
        write_config(tiny_task(), task)
        space.write_text(SPACE)
        command = [
            *(sys.executable, "-m", "bitsmith", "sweep", task, "--space", space, "--out", self.out, "--json"),
            *("--trials", str(TRIALS), "--workers", str(self.workers), "--objectives", "accuracy,lut", *self.options),
        ]
        path = os.pathsep.join(sys.path)
        return subprocess.Popen(
            [str(c) for c in command],
            env={**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=subprocess.PIPE,
            stderr=(self.out.parent / "stderr").open("a"),
            text=True,
            start_new_session=True,
        )

    def end(self) -> Sweep:
        """To its end."""
        process = self.begin()
        out, _ = process.communicate(timeout=600)
        assert process.returncode == 0, self.said()
        return Sweep(json.loads(out), json.loads((self.out / "trials.json").read_text()))

    def kept(self) -> int:
        """Trials whose nets are there."""
        return len([p for p in self.out.glob("trials/*") if p.suffix != ".tmp"])

    def said(self) -> str:
        return (self.out.parent / "stderr").read_text()


@dataclass(frozen=True)
class Sweep:
    """What a finished one left: its JSON, and a row a trial."""

    data: dict[str, Any]
    rows: list[dict[str, Any]]

    @property
    def story(self) -> list[tuple[Any, ...]]:
        return [(r["number"], r["state"], r["net_sha256"], r["accuracy"], r["lut"], r["start"]) for r in self.rows]

    @property
    def front(self) -> list[tuple[Any, ...]]:
        keys = ("trial", "net_sha256", "accuracy", "lut", "latency_cycles", "verified")
        return [tuple(row[key] for key in keys) for row in self.data["front"]]


def until(true: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert process.poll() is None, f"it ended too early, with {process.returncode}"
        assert time.monotonic() < end, "it does not get on"
        time.sleep(0.02)


def workers_of(pid: int) -> list[int]:
    """Its worker processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"spawn_main" in (path / "cmdline").read_bytes():
                found.append(int(path.name))
        except OSError:
            continue
    return found


def alive(pids: list[int]) -> list[int]:
    return [p for p in pids if Path(f"/proc/{p}").exists() and b"spawn_main" in Path(f"/proc/{p}/cmdline").read_bytes()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """On one worker, and never stopped."""
    found = Command(tmp_path_factory.mktemp("whole") / "run", workers=1).end()
    assert found.data["repeated"] == 0 and found.data["complete"] == TRIALS
    assert found.front and all(row[-1] for row in found.front)
    return found


def test_the_cube_of_the_hypervolume_holds_what_is_found(whole: Sweep) -> None:
    ideal, reference = whole.data["ideal"]["lut"], whole.data["reference"]["lut"]
    assert all(ideal < row["lut"] < reference for row in whole.rows)


def test_the_same_nets_on_eight_workers(tmp_path: Path, whole: Sweep) -> None:
    found = Command(tmp_path / "run", workers=8).end()
    assert found.story == whole.story and found.front == whole.front
    assert found.data["repeated"] == 0


def test_workers_are_killed(tmp_path: Path, whole: Sweep) -> None:
    """Both, in each of two batches: at most their two trials are run again each time.

    Not twice in one batch: a trial that was hit by both would rightly fail.
    """
    command, kills = Command(tmp_path / "run"), 0
    process = command.begin()
    for kept in (2, 10):
        until(lambda kept=kept: command.kept() >= kept, process)
        for pid in workers_of(process.pid):
            with suppress(ProcessLookupError):  # the last batch has ended
                os.kill(pid, signal.SIGKILL)
                kills += 1
    assert process.wait(600) == 0, command.said()
    found = command.end()  # nothing is left to do
    assert found.story == whole.story and found.front == whole.front
    assert 1 <= found.data["repeated"] <= kills <= 4
    assert max(row["repeats"] for row in found.rows) == 1
    assert "the worker died (SIGKILL); it is run again" in command.said()


def test_the_driver_is_killed(tmp_path: Path, whole: Sweep) -> None:
    """Three times while it trains, once while it builds; its workers go with it."""
    command = Command(tmp_path / "run")
    for kept in (1, 4, 9):
        process = command.begin()
        until(lambda kept=kept: command.kept() >= kept, process)
        workers = workers_of(process.pid)
        process.kill()
        process.wait()
        time.sleep(1.0)
        assert workers and not alive(workers)
    process = command.begin()
    until(lambda: any(command.out.glob("front/*")), process)
    process.kill()
    process.wait()
    found = command.end()
    assert found.story == whole.story and found.front == whole.front
    assert 1 <= found.data["repeated"] <= 3 * 2, "at most the running ones, two at a time"
    assert found.data["full_trainings"] == whole.data["full_trainings"]


def test_ctrl_c(tmp_path: Path, whole: Sweep) -> None:
    """To the whole group, as a terminal sends it: while TensorFlow loads, while it trains, while it builds."""
    command, stops = Command(tmp_path / "run"), 0
    reached: list[Callable[[], bool]] = [
        lambda: (command.out / "journal.log").exists(),
        lambda: command.kept() >= 3,
        lambda: any(command.out.glob("front/*")),
    ]
    for there in reached:
        process = command.begin()
        until(there, process)
        workers, began = workers_of(process.pid), time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) == 130
        assert time.monotonic() - began < 5
        assert not alive(workers)
        stops += 1
    assert "Traceback" not in command.said()
    found = command.end()
    assert found.story == whole.story and found.front == whole.front
    assert found.data["repeated"] <= stops * 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """56 MB, a little more than a sweep wants before it begins."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=56m", "tmpfs", place], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk(small_disk: Path, whole: Sweep) -> None:
    """Full in mid-sweep, all but 300 kB of a real file system; room is made, and the same command goes on."""
    command = Command(small_disk / "run")
    process = command.begin()
    until(lambda: command.kept() >= 2, process)
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        file.write(bytes(shutil.disk_usage(small_disk).free - 300_000))
    process.communicate(timeout=120)
    assert process.returncode == 4
    said = command.said() if (small_disk / "stderr").stat().st_size else ""
    assert "the disk is full" in said and "make room and give the same command again" in said
    assert "Traceback" not in said
    filler.unlink()
    found = command.end()
    assert found.story == whole.story and found.front == whole.front
    assert found.data["repeated"] <= 2, "at most what ran when the disk was full"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with server() as found:
        yield found


def test_a_database_that_is_away_for_ten_seconds(tmp_path: Path, whole: Sweep, postgres: Server) -> None:
    command = Command(tmp_path / "run", options=("--storage", postgres.url))
    process = command.begin()
    until(lambda: command.kept() >= 3, process)
    postgres.crash()
    time.sleep(10)
    assert process.poll() is None, command.said()
    postgres.start()
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0, command.said()
    found = Sweep(json.loads(out), json.loads((command.out / "trials.json").read_text()))
    assert "the storage is away" in command.said()
    assert found.story == whole.story and found.front == whole.front
    assert found.data["repeated"] == 0


def test_a_learning_rate_that_diverges(tmp_path: Path) -> None:
    """Every trial of it: each fails with its reason, and the sweep says why there is no front."""
    task = tiny_task()
    wild = task.model_copy(update={"train": task.train.model_copy(update={"learning_rate": 1e30})})
    write_config(wild, tmp_path / "wild.toml")
    command = ["bitsmith", "sweep", str(tmp_path / "wild.toml"), "--trials", "4", "--out", str(tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, "-m", *command, "--workers", "1"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 4
    assert "no trial of 4 was completed: ToolError: the loss is nan in epoch" in done.stderr
    assert done.stderr.count("failed: ToolError: the loss is nan") == 4 and "Traceback" not in done.stderr


def test_two_ray_nodes_find_what_one_worker_finds(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="pip install 'bitsmith[ray]'")
    write_config(tiny_task(), tmp_path / "tiny.toml")
    (tmp_path / "space.toml").write_text(SPACE)
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "scripts" / "sweep_ray.py"), str(tmp_path / "tiny.toml"), "--json"),
            *("--space", str(tmp_path / "space.toml"), "--trials", str(TRIALS)),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    print(found)  # seconds depend on what else the machine does
    assert (found["trials"], found["nodes"], found["repeated"]) == (TRIALS, 2, 0)
    assert found["same_nets"] and found["same_front"] and found["front"] > 0
