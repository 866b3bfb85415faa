"""Where trials run: worker processes on this machine.  A worker that dies takes its trial with it, nothing else."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from bitsmith.models.ir.errors import ToolError

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Failure:
    """A task that has no result: why, and whether its worker died under it."""

    reason: str
    lost: bool = False
    error: BaseException | None = None


@dataclass(frozen=True)
class Ended(Generic[R]):
    """A finished task: its place in what was asked for."""

    index: int
    result: R | Failure


class Executor(Protocol):
    """Runs a function on many arguments somewhere; what it returns must not depend on where."""

    def run(self, function: Callable[[T], R], arguments: Sequence[T]) -> Iterator[Ended[R]]:
        """Each result as it comes, in any order."""

    def close(self) -> None:
        """Ends the workers, with what they are doing."""


class LocalWorkers:
    """Processes on this machine, started on first use; each keeps its framework loaded.

    ``limit_s`` ends a task that takes longer.
    """

    def __init__(self, workers: int, limit_s: float | None = None) -> None:
        try:
            from pebble import ProcessPool
        except ImportError as error:
            raise ToolError(f"sweeps need {error.name}; install them with: pip install 'bitsmith[sweep]'") from error
        import multiprocessing

        self.limit_s = limit_s
        spawn = multiprocessing.get_context("spawn")  # a fork of a process with TensorFlow's threads hangs
        self.pool: Any = ProcessPool(max_workers=workers, context=spawn, initializer=_begin)

    def run(self, function: Callable[[T], R], arguments: Sequence[T]) -> Iterator[Ended[R]]:
        """See :class:`Executor`."""
        waiting: dict[Any, int] = {
            self.pool.schedule(function, args=[argument], timeout=self.limit_s): index
            for index, argument in enumerate(arguments)
        }
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield Ended(waiting.pop(future), _result(future, self.limit_s))

    def close(self) -> None:
        """See :class:`Executor`."""
        self.pool.stop()
        self.pool.join()


def _result(future: Any, limit_s: float | None) -> Any:
    from pebble import ProcessExpired

    try:
        return future.result()
    except ProcessExpired as error:
        return Failure(f"the worker died ({_death(error.exitcode)})", lost=True, error=error)
    except TimeoutError as error:
        return Failure(f"took longer than {limit_s:g} s", error=error)
    except Exception as error:
        return failed(error)


def failed(error: BaseException) -> Failure:
    """An exception of a task in one line."""
    said = " ".join(str(error).split())[:500]
    return Failure(f"{type(error).__name__}: {said}", error=error)


def _death(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _begin() -> None:
    """In a new worker: Ctrl-C is the driver's to handle, and a worker does not outlive its driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        set_death_signal = 1  # PR_SET_PDEATHSIG, linux/prctl.h
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
