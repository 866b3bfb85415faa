"""One trial: a task's config, trained as long as the plan says, lowered, measured and priced.

A trial depends on its request alone: any worker makes the same net of it.
"""

from __future__ import annotations

import io
import math
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.flows.config import TaskConfig
from bitsmith.flows.frontends import lower_file
from bitsmith.flows.search.relaxation import Relaxation
from bitsmith.flows.search.worth import Worth, proved, worth_of
from bitsmith.models import data as datasets
from bitsmith.models.data.dataset import Dataset
from bitsmith.models.ir import QNet, content_hash, save
from bitsmith.models.ir.errors import ToolError
from bitsmith.models.lower.compare import Lowered
from bitsmith.models.train.inherit import Named
from bitsmith.models.train.results import Epoch
from bitsmith.models.train.session import Framework
from bitsmith.models.train.split import Split, check_data, split

NET_FILES = ("net.json", "net.npz")


@dataclass(frozen=True)
class Request:
    """Everything that a trial follows from, as plain data that can be sent anywhere."""

    number: int
    config: dict[str, Any]  # of a TaskConfig; its epochs, its seed and its share of validation rows hold
    start: bytes | None  # weights to start from, as .npz; None: a float baseline first
    floor: float | None  # validation accuracy below which training ends at half-time
    data_dir: str | None
    data_sha256: str
    relaxation: Relaxation | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a trial."""

    number: int
    worth: Worth
    epochs: int  # trained, float ones included
    net_sha256: str
    seconds: float
    path: tuple[dict[str, float], ...]  # widths of a relaxation, from many to few; empty without one
    net: dict[str, bytes]  # file name -> content
    weights: bytes  # .npz


class StoppedError(Exception):
    """The learning curve is hopeless; the message says why, ``epochs`` how many were trained."""

    def __init__(self, reason: str, epochs: int) -> None:
        super().__init__(reason, epochs)
        self.reason, self.epochs = reason, epochs


def run_trial(request: Request) -> Outcome:
    """Train, lower, measure and price.

    BitsmithError for what the candidate or the data cannot be, StoppedError for a
    hopeless learning curve; whatever else a framework raises passes through.
    """
    began = time.monotonic()
    config = TaskConfig.model_validate(request.config)
    dataset = _dataset(config.data.name, request.data_dir)
    if dataset.sha256 != request.data_sha256:
        raise ToolError(f"{config.data.name}: this worker has other rows than the sweep was started with")
    check_data(config.net, dataset)
    parts = split(dataset, config.train.validation_share, config.train.seed)
    watch = _Watch(request.floor, config.train.epochs)
    trained = _trained(config, parts, watch, request)
    net = trained.net
    return Outcome(
        number=request.number,
        worth=worth_of(net, config, parts, dataset),
        epochs=watch.epochs,
        net_sha256=content_hash(net),
        seconds=time.monotonic() - began,
        path=trained.path,
        net=_files(net),
        weights=packed(trained.weights),
    )


def packed(weights: Named) -> bytes:
    """Weights as the bytes of an .npz; names keep their slashes."""
    buffer = io.BytesIO()
    np.savez(buffer, **{name: np.asarray(value) for name, value in weights.items()})  # type: ignore[arg-type]
    return buffer.getvalue()


def unpacked(data: bytes) -> Named:
    """Back from :func:`packed`."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


class _Watch:
    """Sees every epoch: a loss that is no number, or a curve that is hopeless at half-time, ends the training."""

    def __init__(self, floor: float | None, epochs: int) -> None:
        self.floor, self.half = floor, -(-epochs // 2)
        self.epochs = self.quantized = 0
        self.best = 0.0

    def __call__(self, epoch: Epoch) -> None:
        self.epochs += 1
        if not (math.isfinite(epoch.loss) and math.isfinite(epoch.check_loss)):
            raise ToolError(f"the loss is {epoch.loss} in epoch {self.epochs}: training diverged")
        if epoch.stage != "quantized":
            return
        self.quantized += 1
        self.best = max(self.best, epoch.check_accuracy)
        if self.floor is not None and self.quantized == self.half and self.best < self.floor:
            raise StoppedError(
                f"{self.best:.4f} after {self.epochs} epochs, needed {self.floor:.4f} by then", self.epochs
            )


@cache
def _dataset(name: str, data_dir: str | None) -> Dataset:
    return datasets.load(name, Path(data_dir) if data_dir else None, progress=False)


@dataclass(frozen=True, eq=False)
class _Trained:
    net: QNet
    weights: Named  # the framework's
    path: tuple[dict[str, float], ...]


def _trained(config: TaskConfig, parts: Split, watch: _Watch, request: Request) -> _Trained:
    """The trained net, proved against its framework on the validation rows."""
    from bitsmith.models.train import session

    framework = _framework(config.train.framework)
    path: tuple[dict[str, float], ...] = ()
    with framework.seeded(config.train.seed):
        start = unpacked(request.start) if request.start is not None else None
        if request.relaxation is not None:
            start, path = _relaxed(framework, config, parts, watch, request.relaxation)
        model = session.fit(framework, config.net, parts, config.train, watch, start).model
        weights = framework.named(model)
        net = proved(_lowered(framework, model, config), parts.x_check)
    return _Trained(net, weights, path)


def _relaxed(
    framework: Framework, config: TaskConfig, parts: Split, watch: _Watch, wanted: Relaxation
) -> tuple[Named, tuple[dict[str, float], ...]]:
    """Weights to start from, and the way of the widths: a float baseline, then a training with real widths."""
    from bitsmith.models.train import session
    from bitsmith.models.train.relax import relax

    baseline = session.float_baseline(framework, config.net, parts, config.train, watch)
    begin = framework.named(baseline)
    done = relax(config.net, parts, config.train, dict(wanted.free), wanted.work, wanted.epochs, begin, watch)
    return done.weights, done.path


def _lowered(framework: Framework, model: Any, config: TaskConfig) -> Lowered:
    if config.train.framework == "qkeras":
        from bitsmith.models.lower import qkeras

        return qkeras.lowered(model, name=config.name, head=config.hardware.output)
    with tempfile.TemporaryDirectory() as folder:
        path = framework.save(model, config.net, Path(folder))
        return lower_file(path, config.name, None, config.hardware.output)


def _framework(name: str) -> Framework:
    """The framework's adapter, on one thread: sums keep their order, and workers their cores."""
    if name == "brevitas":
        from bitsmith.models.train.brevitas import Brevitas

        return Brevitas()
    from bitsmith.models.train.keras import QKeras, forget, single_thread

    single_thread()
    forget()
    return QKeras()


def _files(net: QNet) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        save(net, Path(folder))
        return {name: (Path(folder) / name).read_bytes() for name in NET_FILES}
