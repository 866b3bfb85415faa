"""AutoQKeras of QKeras 0.9.0 on a task's float model, trial by trial: what it chooses, trained, as Keras models.

It does not run on today's Keras as it stands (docs/sweeps-autoqkeras.md shows each failure).  What is done about it,
without a change to its files: its layers are known to Keras while it searches (``layers_known``), every trial has an
optimizer of its own, and ``run_trial`` of the tuner, which KerasTuner invites to override, calls nothing of Keras 3.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.flows.config import TaskConfig
from bitsmith.flows.search.candidate import config_of
from bitsmith.flows.search.space import BitsPart
from bitsmith.models.ir.errors import InputError, ToolError
from bitsmith.models.lower.keras.graph import walk
from bitsmith.models.train import session
from bitsmith.models.train.framework import framework
from bitsmith.models.train.keras import QKeras
from bitsmith.models.train.layers import build_qkeras
from bitsmith.models.train.results import Epoch
from bitsmith.models.train.split import Split
from bitsmith.models.zoo.spec import NetSpec

INPUT_QUANTIZER = "quantized_input"
TRIALS_AT_MOST = 100_000  # the budget of epochs ends the search, never the number of trials
LAYERS = ("QDense", "QConv1D", "QConv2D", "QDepthwiseConv2D", "QSeparableConv2D", "QActivation")


@dataclass(frozen=True)
class Plan:
    """How a search is run."""

    goal: str  # "energy" | "bits"
    tuner: str  # "bayesian" | "random"
    quantizers: str  # "task": grids that the task trains on; "own": AutoQKeras's defaults
    training: str  # "task": as the task trains, zeros included; "keras": model.fit with AutoQKeras's early stopping
    trial_epochs: int
    budget_epochs: int  # the float baseline's included


@dataclass(frozen=True)
class Tried:
    """A trial, trained."""

    number: int
    model: Any  # with the weights of its best epoch
    quantizers: dict[str, str]  # as chosen
    score: float  # AutoQKeras's own: validation accuracy times 1 + what the smaller cost is worth
    cost: float  # by its goal: of energy or of bits
    epochs: int


def budget_epochs(full_trainings: float, full_epochs: int) -> int:
    """Epochs of a budget given in full trainings, rounded to the nearest; InputError if that is none at all."""
    epochs = round(full_trainings * full_epochs)
    if epochs < 1:
        raise InputError(f"--budget {full_trainings}: less than one epoch of {full_epochs}; give more")
    return epochs


def epochs_left(plan: Plan, spent: int) -> int:
    """Epochs of the next trial: those planned, or what is left of the budget."""
    return max(0, min(plan.trial_epochs, plan.budget_epochs - spent))


def quantizer_choices(spec: NetSpec, bits: BitsPart) -> dict[str, dict[str, int]]:
    """AutoQKeras's quantization_config with the grids of the task and the widths of a space: quantizer -> bits.

    ``linear`` is for the only linear activation there is, the input's.
    """
    whole, inputs = spec.weight_integer_bits, spec.input
    sign = "" if inputs.signed else ", keep_negative=False"
    return {
        "kernel": {f"quantized_bits({b}, {whole}, alpha=1)": b for b in bits.weights},
        "bias": {f"quantized_bits({spec.bias_bits}, {spec.bias_integer_bits}, alpha=1)": 1},  # below any limit
        "activation": {f"quantized_relu({b}, {spec.activation_integer_bits})": b for b in bits.activations},
        "linear": {
            f"quantized_bits({b}, {inputs.integer_bits}, alpha=1{sign})": b for b in bits.input if b <= inputs.bits
        },
    }


def goal_of(kind: str) -> dict[str, Any]:
    """AutoQKeras's goal: 8 % of accuracy for half the cost, as in its own notebook."""
    worth: dict[str, Any] = {"delta_p": 8.0, "delta_n": 8.0, "rate": 2.0, "stress": 1.0}
    if kind == "bits":
        sizes = {"input_bits": 8, "output_bits": 8, "ref_bits": 8, "config": {"default": ["parameters", "activations"]}}
        return {"type": "bits", "params": {**worth, **sizes}}
    memory = {"parameters_on_memory": ["sram", "sram"], "activations_on_memory": ["sram", "sram"]}
    model = {"process": "horowitz", "rd_wr_on_io": [False, False], "min_sram_size": [0, 0], **memory}
    reference = {"source_quantizers": ["int8"], "reference_internal": "int8", "reference_accumulator": "int32"}
    return {"type": "energy", "params": {**worth, **model, **reference}}


def float_model(spec: NetSpec) -> Any:
    """The float model with a linear activation on its input, which AutoQKeras then quantizes like all others."""
    fw = framework()
    plain = build_qkeras(spec, quantized=False)
    start = fw.keras.layers.Input(spec.input.shape, name="input")
    first = fw.keras.layers.Activation("linear", name=INPUT_QUANTIZER)(start)
    skip = type(plain.layers[0])

    def visit(layer: Any, xs: Sequence[Any]) -> Any:
        return xs[0] if isinstance(layer, skip) else layer(xs[0] if len(xs) == 1 else list(xs))

    shared = fw.keras.Model(start, walk(plain, first, visit), name="net")
    return fw.keras.models.model_from_json(shared.to_json())  # the energy model loses its way in layers of two models


@contextmanager
def layers_known() -> Iterator[None]:
    """QKeras's layers among Keras's own: models as JSON say no more than ``keras.layers`` of where they come from."""
    fw = framework()
    new = [name for name in LAYERS if not hasattr(fw.keras.layers, name)]
    for name in new:
        setattr(fw.keras.layers, name, getattr(fw.q, name))
    try:
        yield
    finally:
        for name in new:
            delattr(fw.keras.layers, name)


def quantizers_of(model: Any) -> dict[str, str]:
    """``layer.kernel``, ``layer.bias`` and activations: the quantizers of a QKeras model, as text."""
    found: dict[str, str] = {}
    for layer in model.layers:
        if type(layer).__name__ == "QActivation":
            found[layer.name] = str(layer.quantizer)
        elif hasattr(layer, "get_quantizers"):
            names = ("kernel", "bias") if len(layer.get_quantizers()) == 2 else ("depthwise", "pointwise", "bias")
            found |= {f"{layer.name}.{n}": str(q) for n, q in zip(names, layer.get_quantizers(), strict=False) if q}
    return found


def kernel_bits(model: Any) -> dict[str, int]:
    """Choices of a sweep that say how wide the weights of each layer are: a single bit is never pruned."""
    found = {}
    for layer in model.layers:
        if hasattr(layer, "get_quantizers") and type(layer).__name__ != "QActivation":
            found[f"{layer.name}.weight_bits"] = int(layer.get_quantizers()[0].bits)
    return found


class _Given(QKeras):
    """The framework for a session, with a model that is there already in place of one made from a spec."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def build(self, spec: NetSpec, quantized: bool) -> Any:
        return self.model


def trained_as_the_task(model: Any, task: TaskConfig, parts: Split, start: Mapping[str, Any], epochs: int) -> float:
    """Trains ``model`` in the task's own loop, from the weights ``start``; validation accuracy of the best epoch."""
    config = config_of(task, kernel_bits(model))
    settings = config.train.model_copy(update={"epochs": epochs})
    session.fit(_Given(model), config.net, parts, settings, _finite, start)
    return QKeras().accuracy(model, parts.x_check, parts.y_check)


def _finite(epoch: Epoch) -> None:
    if not (math.isfinite(epoch.loss) and math.isfinite(epoch.check_loss)):
        raise ToolError(f"the loss is {epoch.loss}: training diverged")


def trained_by_keras(model: Any, task: TaskConfig, fit_args: Any, fit_kwargs: Any, epochs: int) -> tuple[float, int]:
    """``model.fit`` with the arguments that AutoQKeras hands on; accuracy of the best epoch, and epochs trained."""
    fw = framework()

    class Best(fw.keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        accuracy, weights = -1.0, None

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if logs["val_acc"] > self.accuracy:
                self.accuracy, self.weights = float(logs["val_acc"]), self.model.get_weights()

    best = Best()
    model.optimizer = fw.keras.optimizers.Adam(task.train.learning_rate)  # AutoQKeras shares one among all trials
    kwargs = {**fit_kwargs, "epochs": epochs, "callbacks": [*copy.deepcopy(fit_kwargs["callbacks"]), best]}
    history = model.fit(*fit_args, **kwargs)
    if not all(math.isfinite(loss) for loss in history.history["loss"]):
        raise ToolError(f"the loss is {history.history['loss'][-1]}: training diverged")
    model.set_weights(best.weights)
    return best.accuracy, len(history.epoch)


def search(
    task: TaskConfig,
    plan: Plan,
    bits: BitsPart,
    parts: Split,
    baseline: Any,
    folder: Path,
    spent: Callable[[], int],
    known: Mapping[int, float],
    tell: Callable[[Tried | int, str], None],
) -> None:
    """Runs AutoQKeras until the budget is spent; ``tell`` gets each trial, or its number and why it failed.

    ``known`` are scores of trials that an earlier run recorded; ``spent`` says how
    many epochs all trials and the baseline have cost.
    """
    from qkeras.autoqkeras import AutoQKeras

    fw = framework()
    losses = fw.keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=task.train.label_smoothing)
    baseline.compile(fw.keras.optimizers.Adam(task.train.learning_rate), loss=losses, metrics=["acc"])
    start = QKeras().named(baseline)
    own = plan.quantizers == "own"
    limit = max([*bits.weights, *bits.activations])
    with layers_known():
        auto = AutoQKeras(
            baseline,
            metrics=["acc"],
            goal=goal_of(plan.goal),
            output_dir=str(folder.resolve()),
            custom_tuner=_tuner(task, plan, parts, start, spent, known, tell),
            transfer_weights=True,
            limit={name: [limit] * 3 for name in ("Dense", "Conv1D", "Conv2D", "DepthwiseConv2D")}
            | {"Activation": [limit]},
            tune_filters_exceptions="$^",  # its default, None, is no pattern: TypeError
            quantization_config=None if own else quantizer_choices(task.net, bits),
            overwrite=False,
            max_trials=TRIALS_AT_MOST,
            seed=task.train.seed,
        )
        if epochs_left(plan, spent()):
            rows, labels = _noisy(parts, task), fw.tf.one_hot(parts.y_check, baseline.output_shape[-1])
            auto.fit(rows, validation_data=(parts.x_check, labels), epochs=plan.trial_epochs, verbose=0)


def _noisy(parts: Split, task: TaskConfig) -> Any:
    """Shuffled batches with the noise that the task trains with."""
    fw = framework()
    settings = task.train
    labels = fw.tf.one_hot(parts.y, int(parts.y.max()) + 1)
    rows = fw.tf.data.Dataset.from_tensor_slices((parts.x, labels)).shuffle(len(parts.x), seed=settings.seed)
    rows = rows.batch(min(settings.batch_size, len(parts.x)), drop_remainder=True)
    if settings.input_noise:
        rows = rows.map(lambda x, y: (x + fw.tf.random.normal(fw.tf.shape(x), stddev=settings.input_noise), y))
    return rows


def _tuner(
    task: TaskConfig,
    plan: Plan,
    parts: Split,
    start: Mapping[str, Any],
    spent: Callable[[], int],
    known: Mapping[int, float],
    tell: Callable[[Tried | int, str], None],
) -> type:
    import keras_tuner

    base = {"bayesian": keras_tuner.BayesianOptimization, "random": keras_tuner.RandomSearch}[plan.tuner]

    class Tuner(base):  # type: ignore[misc, valid-type]
        def __init__(self, hypermodel: Any, autoqkeras_config: Any = None, **options: Any) -> None:
            super().__init__(hypermodel, **options)

        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            number = int(trial.trial_id)
            if number in known:  # written down, then stopped before the tuner was told
                return known[number]
            epochs = epochs_left(plan, spent())
            framework().keras.backend.clear_session()
            framework().keras.utils.set_random_seed(1000 * task.train.seed + number)
            try:
                done = self._trained(trial, epochs, args, kwargs)
            except Exception as error:
                tell(number, f"{type(error).__name__}: {error}")
                raise keras_tuner.errors.FailedTrialError(str(error)) from error
            tell(done, "")
            if not epochs_left(plan, spent()):
                self.oracle.max_trials = len(self.oracle.trials)  # no further one
            return done.score

        def _trained(self, trial: Any, epochs: int, args: Any, kwargs: Any) -> Tried:
            model = self.hypermodel.build(trial.hyperparameters)
            number, target = int(trial.trial_id), self.hypermodel.target
            cost, worth = float(target.trial_size), float(target.delta())
            if plan.training == "task":
                accuracy, used = trained_as_the_task(model, task, parts, start, epochs), epochs
            else:
                accuracy, used = trained_by_keras(model, task, args, kwargs, epochs)
            return Tried(number, model, quantizers_of(model), accuracy * (1.0 + worth), cost, used)

    return Tuner


def float_weights(task: TaskConfig, parts: Split, path: Path) -> Any:
    """The float baseline, trained as the task says; its weights are kept in ``path`` for a run that goes on."""
    fw, model = QKeras(), float_model(task.net)
    if path.is_file():
        with np.load(path, allow_pickle=False) as file:
            fw.set_named(model, {name: file[name] for name in file.files})
        return model
    loop = fw.loop(model, parts, task.train, task.train.float_epochs, task.train.seed)
    best: tuple[tuple[float, float], Any] = ((-1.0, 0.0), None)
    for _ in range(task.train.float_epochs):
        loop.epoch()
        right, loss = loop.check()
        if (right, -loss) > best[0]:
            best = ((right, -loss), fw.state(model))
    fw.restore(model, best[1])
    half = path.with_name("half-" + path.name)
    np.savez(half, **fw.named(model))
    half.replace(path)
    return model
