"""Trials on a Ray cluster: the same requests, sent to its nodes in place of worker processes here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from bitsmith.flows.search.executor import Ended, Failure, failed
from bitsmith.models.ir.errors import ToolError

T = TypeVar("T")
R = TypeVar("R")


class RayWorkers:
    """Tasks of one core each on the cluster at ``address``.

    Every node needs Bitsmith installed, with the framework, and the data sets in
    the same folder; a node whose rows differ refuses its trials.
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

    def run(self, function: Callable[[T], R], arguments: Sequence[T]) -> Iterator[Ended[R]]:
        """See :class:`bitsmith.flows.search.executor.Executor`."""
        remote = self.ray.remote(num_cpus=1, max_retries=0)(function)
        waiting = {remote.remote(argument): index for index, argument in enumerate(arguments)}
        while waiting:
            ready, _ = self.ray.wait(list(waiting), num_returns=1)
            for reference in ready:
                yield Ended(waiting.pop(reference), self._result(reference))

    def close(self) -> None:
        """See :class:`bitsmith.flows.search.executor.Executor`."""
        self.ray.shutdown()

    def _result(self, reference: Any) -> Any:
        errors = self.ray.exceptions
        try:
            return self.ray.get(reference)
        except (
            errors.WorkerCrashedError,
            errors.NodeDiedError,
            errors.OutOfMemoryError,
            errors.ObjectLostError,
        ) as error:
            return Failure(f"the worker died ({type(error).__name__})", lost=True, error=error)
        except errors.RayTaskError as error:
            return failed(error.cause)
