"""Trials on a Ray cluster: the same requests, sent to its nodes in place of worker processes here."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from bitsmith.flows.search.executor import TASKS_AT_MOST, Began, Ended, Failure, attempt
from bitsmith.models.ir.errors import ToolError

T = TypeVar("T")
R = TypeVar("R")

LOOK_S = 1.0
"""Seconds after which new nodes and late tasks are looked for."""


class RayWorkers:
    """Tasks of one core each on the cluster at ``address``, as many at a time as it has cores.

    Every node needs Bitsmith installed, with the framework, and the data sets in
    the same folder; a node whose rows differ refuses its trials.  ``limit_s`` ends
    a task that takes longer.
    """

    def __init__(self, address: str, limit_s: float | None = None) -> None:
        try:
            import ray
        except ImportError as error:
            raise ToolError("--ray needs Ray; install it with: pip install 'bitsmith[ray]'") from error
        self.ray: Any = ray
        self.limit_s = limit_s
        try:
            ray.init(address=address, ignore_reinit_error=True, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:
            raise ToolError(f"no Ray cluster answers at {address}: {error}") from error

    def run(self, function: Callable[[T], R], arguments: Sequence[T], began: Began | None = None) -> Iterator[Ended[R]]:
        """See :class:`bitsmith.flows.search.executor.Executor`."""
        remote = self.ray.remote(num_cpus=1, max_retries=0, max_calls=TASKS_AT_MOST)(attempt)
        left = deque(enumerate(arguments))
        running: dict[Any, tuple[int, float]] = {}  # reference -> place, when it was sent
        while left or running:
            for _ in range(min(self._cores() - len(running), len(left))):
                index, argument = left.popleft()
                if began is not None:
                    began(index)
                running[remote.remote(function, argument)] = index, time.monotonic()
            ready, waiting = self.ray.wait(list(running), num_returns=1, timeout=LOOK_S)
            for reference in ready:
                yield Ended(running.pop(reference)[0], self._result(reference))
            for reference in waiting:
                if self.limit_s is not None and time.monotonic() - running[reference][1] > self.limit_s:
                    self.ray.cancel(reference, force=True)
                    yield Ended(running.pop(reference)[0], Failure(f"took longer than {self.limit_s:g} s"))

    def close(self) -> None:
        """See :class:`bitsmith.flows.search.executor.Executor`."""
        self.ray.shutdown()

    def _cores(self) -> int:
        """Of all nodes that are there now; one at least, so that a task waits for the first node."""
        return max(1, int(self.ray.cluster_resources().get("CPU", 1)))

    def _result(self, reference: Any) -> Any:
        try:
            return self.ray.get(reference)
        except self.ray.exceptions.RayError as error:  # exceptions of the task itself come as results
            return Failure(f"the worker died ({type(error).__name__})", lost=True)
