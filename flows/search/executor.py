"""Where trials run: worker processes on this machine.  A worker that dies takes its trial with it, nothing else.

Each worker has a pipe of its own: there is no lock that a dead one could hold,
and half a message ends with its pipe.
"""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from bitsmith.flows.search.storage import full

T = TypeVar("T")
R = TypeVar("R")

Began = Callable[[int], None]

TASKS_AT_MOST = 100
"""Of one process: TensorFlow keeps some ten megabytes of every model."""


@dataclass(frozen=True)
class Failure:
    """A task that has no result: why, whether its worker died under it, and whether a disk was full."""

    reason: str
    lost: bool = False
    error: BaseException | None = None  # only where it can be sent
    full: bool = False


@dataclass(frozen=True)
class Ended(Generic[R]):
    """A finished task: its place in what was asked for."""

    index: int
    result: R | Failure


class Executor(Protocol):
    """Runs a function on many arguments somewhere; what it returns must not depend on where."""

    def run(self, function: Callable[[T], R], arguments: Sequence[T], began: Began | None = None) -> Iterator[Ended[R]]:
        """Each result as it comes, in any order; ``began`` is told the place of each task as it is begun."""

    def close(self) -> None:
        """Ends the workers, with what they are doing."""


class LocalWorkers:
    """Processes on this machine, started when there is work; each keeps its framework loaded for a hundred tasks.

    ``limit_s`` ends a task that takes longer.  A worker that died is replaced.
    """

    def __init__(self, workers: int, limit_s: float | None = None) -> None:
        self.count, self.limit_s = workers, limit_s
        self.workers: list[_Worker] = []

    def run(self, function: Callable[[T], R], arguments: Sequence[T], began: Began | None = None) -> Iterator[Ended[R]]:
        """See :class:`Executor`."""
        left = deque(enumerate(arguments))
        while left or any(worker.index is not None for worker in self.workers):
            for index, argument in self._free(left):
                if began is not None:
                    began(index)
                self._send(index, (function, argument))
            yield from self._ended()

    def close(self) -> None:
        """See :class:`Executor`."""
        for worker in self.workers:
            worker.kill()
        self.workers.clear()

    def _free(self, left: deque[tuple[int, T]]) -> Iterator[tuple[int, T]]:
        """As many tasks as there is room for."""
        busy = sum(worker.index is not None for worker in self.workers)
        for _ in range(min(self.count - busy, len(left))):
            yield left.popleft()

    def _send(self, index: int, task: Any) -> None:
        """To a free worker; one that died while it had nothing to do is passed over."""
        packed = pickle.dumps(task)
        while True:
            worker = next((w for w in self.workers if w.index is None), None)
            if worker is None:
                worker = _Worker()
                self.workers.append(worker)
            if worker.begin(index, packed, self.limit_s):
                return
            self._drop(worker)

    def _ended(self) -> Iterator[Ended[Any]]:
        """Waits until a worker has ended its task, one way or another."""
        from multiprocessing.connection import wait

        busy = {worker.pipe: worker for worker in self.workers if worker.index is not None}
        ends = [worker.deadline for worker in busy.values() if worker.deadline is not None]
        timeout = max(0.0, min(ends) - time.monotonic()) if ends else None
        ready = wait(list(busy), timeout)
        for pipe, worker in busy.items():
            if pipe in ready:
                index, result = worker.index, worker.result()
            elif worker.deadline is not None and worker.deadline <= time.monotonic():
                index, result = worker.index, Failure(f"took longer than {self.limit_s:g} s")
                worker.kill()
            else:
                continue
            assert index is not None
            if worker.begun >= TASKS_AT_MOST or not worker.process.is_alive():
                self._drop(worker)
            yield Ended(index, result)

    def _drop(self, worker: _Worker) -> None:
        worker.kill()
        self.workers.remove(worker)


class _Worker:
    """A process and the pipe to it; ``index`` is the task that it has, None if none."""

    def __init__(self) -> None:
        import multiprocessing

        spawn = multiprocessing.get_context("spawn")  # a fork of a process with TensorFlow's threads hangs
        self.pipe, its = spawn.Pipe()
        self.process = spawn.Process(target=_serve, args=(its, os.getpid()), name="bitsmith worker")
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # a Ctrl-C while it starts is not its own
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        its.close()  # so that the pipe ends with the process
        self.index: int | None = None
        self.deadline: float | None = None
        self.begun = 0  # tasks

    def begin(self, index: int, task: bytes, limit_s: float | None) -> bool:
        """Sends a task; False if the process is dead."""
        if not self.process.is_alive():
            return False
        try:
            self.pipe.send_bytes(task)
        except OSError:
            return False
        self.index = index
        self.begun += 1
        self.deadline = None if limit_s is None else time.monotonic() + limit_s
        return True

    def result(self) -> Any:
        """What the process says of its task, or of what it died."""
        self.index = self.deadline = None
        try:
            return pickle.loads(self.pipe.recv_bytes())
        except (EOFError, OSError):
            self.process.join()
            return Failure(f"the worker died ({_death(self.process.exitcode)})", lost=True)

    def kill(self) -> None:
        """Ends the process and the tools that it has started."""
        self.index = self.deadline = None
        if self.process.is_alive() and self.process.pid is not None:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:  # it is not its own group yet
                self.process.kill()
        self.process.join()
        self.pipe.close()


def _serve(pipe: Any, driver: int) -> None:
    """The life of a worker: Ctrl-C is the driver's to handle, and a worker does not outlive its driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setpgid(0, 0)  # the tools that it starts end with it
    _die_with_parent()
    if os.getppid() != driver:  # it was gone before it could be asked to take us along
        return
    while True:
        try:
            packed = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        pipe.send_bytes(_answer(packed))


def _die_with_parent() -> None:
    import ctypes
    import sys

    if sys.platform == "linux":
        set_death_signal = 1  # PR_SET_PDEATHSIG, linux/prctl.h
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


def _answer(packed: bytes) -> bytes:
    """The result as bytes, or a failure where there is none, or none that can be sent."""
    try:
        function, argument = pickle.loads(packed)
        return pickle.dumps(attempt(function, argument))
    except Exception as error:
        return pickle.dumps(failed(error))


def attempt(function: Callable[[T], R], argument: T) -> R | Failure:
    """A result, or why there is none; run it where the task runs, so that no exception has to travel."""
    try:
        return function(argument)
    except Exception as error:
        return failed(error)


def failed(error: Exception) -> Failure:
    """An exception of a task in one line, and itself if it can be sent."""
    said = " ".join(str(error).split())[:500]
    try:
        pickle.loads(pickle.dumps(error))
        sent: Exception | None = error
    except Exception:  # many a class of exceptions is made from other arguments than it keeps
        sent = None
    return Failure(f"{type(error).__name__}: {said}" if said else type(error).__name__, error=sent, full=full(error))


def _death(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
