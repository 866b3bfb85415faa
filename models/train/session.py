"""How a net is trained, whatever the framework: float baseline, quantized net from its weights, pruning, best epoch."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bitsmith.models.data.dataset import Dataset, FloatArray, LabelArray
from bitsmith.models.ir.errors import InputError
from bitsmith.models.train.inherit import Named, inherited
from bitsmith.models.train.prune import masks, scheduled
from bitsmith.models.train.results import Epoch, TrainResult
from bitsmith.models.train.settings import TrainSettings
from bitsmith.models.train.split import Split, check_data, split
from bitsmith.models.zoo.graph import final_sparsity, nodes
from bitsmith.models.zoo.spec import NetSpec, WeightedSpec


@dataclass(frozen=True, eq=False)
class Weight:
    """The weights of a layer, or of one part of a separable one, without the bias."""

    layer: str
    variable: Any  # the framework's own
    values: Callable[[], FloatArray]
    quantized: Callable[[], FloatArray]


class Loop(Protocol):
    """One stage of training."""

    def hold_zeros(self, weights: list[Any]) -> Callable[[list[FloatArray]], None]:
        """Let ``weights`` be masked; the function returned sets their masks."""

    def epoch(self) -> float:
        """One pass over the training rows; the mean loss."""

    def check(self) -> tuple[float, float]:
        """Accuracy and loss on the validation rows."""


class Framework(Protocol):
    """What a session needs of QKeras or of Brevitas; a model is the framework's own object."""

    def seeded(self, seed: int) -> AbstractContextManager[None]:
        """All draws from ``seed``, and no order of sums that varies."""

    def build(self, spec: NetSpec, quantized: bool) -> Any:
        """The model of ``spec``, weights freshly drawn."""

    def carry(self, baseline: Any, model: Any, x: FloatArray) -> None:
        """Start ``model`` from the weights of ``baseline``, its learned scales from the training rows ``x``."""

    def loop(self, model: Any, parts: Split, settings: TrainSettings, epochs: int, seed: int) -> Loop:
        """A stage of ``epochs`` over ``parts``."""

    def weights(self, model: Any) -> list[Weight]:
        """All weights with a quantizer, in the order of the layers."""

    def state(self, model: Any) -> Any:
        """A copy of everything that training changes."""

    def restore(self, model: Any, state: Any) -> None:
        """Bring ``state`` back."""

    def named(self, model: Any) -> Named:
        """A copy of all weights by name, biases and learned scales with them."""

    def set_named(self, model: Any, weights: Named) -> None:
        """Set all weights by name, of exactly the shapes that ``named`` gives."""

    def accuracy(self, model: Any, x: FloatArray, y: LabelArray) -> float:
        """Share of rows whose largest logit is the label's."""

    def save(self, model: Any, spec: NetSpec, folder: Path) -> Path:
        """Write the model; the file that a front end lowers."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained quantized model, as the framework's own object, and the float baseline where there was one."""

    model: Any
    baseline: Any | None
    history: tuple[Epoch, ...]


def run(
    framework: Framework, spec: NetSpec, data: Dataset, settings: TrainSettings, out: Path, progress: bool
) -> TrainResult:
    """Train the float baseline, then the quantized net from its weights, and save the latter in ``out``.

    The best epoch is chosen on rows put aside from the training part.  With one
    seed, one machine gives the same model every time.  InputError if the data do
    not suit the spec, or if ``out`` cannot be written.
    """
    start = time.perf_counter()
    check_data(spec, data)
    parts = split(data, settings.validation_share, settings.seed)
    with framework.seeded(settings.seed), _bar(data.name, settings, progress) as record:
        done = fit(framework, spec, parts, settings, record)
        path = _saved(framework, done.model, spec, out)
        weights = framework.weights(done.model)
        return TrainResult(
            accuracy_float=framework.accuracy(done.baseline, data.x_test, data.y_test),
            accuracy_quantized=framework.accuracy(done.model, data.x_test, data.y_test),
            sparsity=sparsity(weights),
            weights=sum(weight.values().size for weight in weights),
            model_path=path,
            seconds=time.perf_counter() - start,
            history=done.history,
        )


def fit(
    framework: Framework,
    spec: NetSpec,
    parts: Split,
    settings: TrainSettings,
    record: Callable[[Epoch], None],
    start: Named | None = None,
) -> Fitted:
    """The quantized model of ``spec``, trained on ``parts``; call it within ``framework.seeded``.

    It starts from a float baseline, which is trained first, or from the weights
    ``start`` of another model (:mod:`bitsmith.models.train.inherit`), which may
    have been of other widths; then no baseline is trained.  ``record`` gets every
    epoch, and may raise to end the training.
    """
    history: list[Epoch] = []

    def note(epoch: Epoch) -> None:
        history.append(epoch)
        record(epoch)

    if start is not None:
        model = framework.build(spec, quantized=True)
        framework.set_named(model, inherited(start, framework.named(model)))
        baseline = None
    else:
        baseline = float_baseline(framework, spec, parts, settings, note)
        model = framework.build(spec, quantized=True)
        framework.carry(baseline, model, parts.x)
    _fit_quantized(framework, model, spec, parts, settings, note)
    return Fitted(model, baseline, tuple(history))


def sparsity(weights: list[Weight]) -> float:
    """Share of zeros among the quantized weights, biases not counted: what the hardware sees."""
    arrays = [weight.quantized() for weight in weights]
    return float(sum((array == 0).sum() for array in arrays) / sum(array.size for array in arrays))


@contextmanager
def _bar(name: str, settings: TrainSettings, shown: bool) -> Iterator[Callable[[Epoch], None]]:
    """The function that shows an epoch on a progress bar on standard error."""
    from tqdm import tqdm

    seconds = 0.5 if sys.stderr.isatty() else 10.0  # a log file does not need every step
    total = settings.float_epochs + settings.epochs
    with tqdm(total=total, unit="epoch", mininterval=seconds, disable=not shown) as bar:

        def record(epoch: Epoch) -> None:
            bar.set_description(f"{name} {epoch.stage}", refresh=False)
            bar.set_postfix(check=f"{epoch.check_accuracy:.4f}", zeros=f"{epoch.sparsity:.0%}", refresh=False)
            bar.update()

        yield record


def float_baseline(
    framework: Framework, spec: NetSpec, parts: Split, settings: TrainSettings, record: Callable[[Epoch], None]
) -> Any:
    """The float model of ``spec`` at its best epoch; call it within ``framework.seeded``."""
    model = framework.build(spec, quantized=False)
    loop = framework.loop(model, parts, settings, settings.float_epochs, settings.seed)
    best = _Best(framework, model)
    for _ in range(settings.float_epochs):
        epoch = Epoch("float", loop.epoch(), *loop.check(), sparsity=0.0)
        best.offer(epoch)
        record(epoch)
    best.restore()
    return model


def _fit_quantized(
    framework: Framework,
    model: Any,
    spec: NetSpec,
    parts: Split,
    settings: TrainSettings,
    record: Callable[[Epoch], None],
) -> None:
    """Prune along the schedule; only epochs with all the zeros wanted can be the best."""
    loop = framework.loop(model, parts, settings, settings.epochs, settings.seed + 1)
    weights = framework.weights(model)
    final = _final_sparsities(weights, spec, settings)
    set_masks = loop.hold_zeros([weight.variable for weight in weights])
    best = _Best(framework, model)
    for number in range(settings.epochs):
        progress = (number + 1) / settings.epochs
        share = scheduled(1.0, progress, settings.prune_begin, settings.prune_end)
        wanted = [share * value for value in final]
        set_masks(masks([weight.values() for weight in weights], wanted, across=settings.prune_scope == "net"))
        epoch = Epoch("quantized", loop.epoch(), *loop.check(), sparsity=share * settings.final_sparsity)
        if share == 1.0:
            best.offer(epoch)
        record(epoch)
    best.restore()


def _final_sparsities(weights: list[Weight], spec: NetSpec, settings: TrainSettings) -> list[float]:
    """Per weight: that of its layer."""
    usual = settings.final_sparsity
    final = {node.name: final_sparsity(node, usual) for node in nodes(spec) if isinstance(node.layer, WeightedSpec)}
    return [final[weight.layer] for weight in weights]


class _Best:
    """The weights of the best epoch so far: most validation rows right, then least loss."""

    def __init__(self, framework: Framework, model: Any) -> None:
        self.framework, self.model = framework, model
        self.score: tuple[float, float] | None = None
        self.state: Any = None

    def offer(self, epoch: Epoch) -> None:
        score = (epoch.check_accuracy, -epoch.check_loss)
        if self.score is None or score > self.score:
            self.score, self.state = score, self.framework.state(self.model)

    def restore(self) -> None:
        assert self.score is not None, "the schedule ends within the training"
        self.framework.restore(self.model, self.state)


def _saved(framework: Framework, model: Any, spec: NetSpec, out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
        return framework.save(model, spec, out)
    except OSError as error:
        raise InputError(f"cannot write into {out}: {error}; choose another output folder") from error
