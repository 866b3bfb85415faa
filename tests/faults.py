"""Tasks for worker processes, and what may go wrong in them; imports little, since each worker imports it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from bitsmith.models.ir.errors import ToolError


def process(number: int) -> int:
    return os.getpid()


def square(number: int) -> int:
    return number * number


def poison(number: int, kind: str) -> int:
    if number == 2:
        POISONS[kind]()
    return number


def large(number: int) -> bytes:
    """50 MB: takes its time through a pipe."""
    return bytes([number]) * 50_000_000


def sleeping(number: int, seconds: float, folder: str) -> int:
    """With a tool, as synthesis has one; its process and its worker's are noted."""
    tool = subprocess.Popen(["sleep", str(seconds)])
    note = Path(folder, f"{number}.tmp")
    note.write_text(f"{os.getpid()} {tool.pid}")
    note.rename(Path(folder, f"{number}.pids"))
    tool.wait()
    return number


def unsendable(number: int) -> Callable[[], int]:
    return lambda: number


class OddError(Exception):
    """Made from two arguments, keeps one: it can be sent, but not be received."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


def _raise() -> None:
    raise ValueError("a poisoned candidate")


def _odd() -> None:
    raise OddError("odd", "error")


def _diverge() -> None:
    raise ToolError("the loss is nan in epoch 1: training diverged")


def _starve() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, before[1]))
    try:
        bytearray(64 << 30)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _disk_full() -> None:
    with Path("/dev/full").open("w") as file:
        file.write("x")


POISONS: dict[str, Callable[[], object]] = {
    "raise": _raise,
    "odd": _odd,
    "nan": _diverge,
    "memory": _starve,
    "full": _disk_full,
    "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "exit": lambda: os._exit(7),
}
