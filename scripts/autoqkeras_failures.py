"""What stops AutoQKeras 0.9.0 on today's Keras, each by its smallest case: docs/sweeps-autoqkeras.md shows the output.

TF_USE_LEGACY_KERAS=1 python scripts/autoqkeras_failures.py
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from autoqkeras_search import goal_of, layers_known

from bitsmith.models.train.framework import framework

LIMIT = {"Dense": [8, 8, 8], "Activation": [8]}
NO_PATTERN = {"tune_filters_exceptions": "$^"}


def net() -> Any:
    """Four inputs, two classes; compiled, as AutoQKeras asks for."""
    keras = framework().keras
    start = keras.layers.Input((4,))
    hidden = keras.layers.Activation("relu", name="act")(keras.layers.Dense(3, name="hidden")(start))
    model = keras.Model(start, keras.layers.Dense(2, name="logits")(hidden))
    return compiled(model)


def compiled(model: Any) -> Any:
    keras = framework().keras
    losses = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss=losses, metrics=["acc"])
    return model


def made(folder: str, model: Any = None, kind: Any = None, **options: Any) -> Any:
    from qkeras import autoqkeras

    make = getattr(autoqkeras, kind or "AutoQKeras")
    # six: KerasTuner raises after three failed trials in a row, and says nothing of fewer
    given = {"metrics": ["acc"], "goal": goal_of("energy"), "output_dir": folder + "/out", "limit": dict(LIMIT)}
    return make(model or net(), **{**given, "max_trials": 6, **options})


def fitted(auto: Any) -> Any:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 4)).astype(np.float32), np.eye(2, dtype=np.float32)[rng.integers(0, 2, 64)]
    auto.fit(x, y, validation_data=(x, y), epochs=2, verbose=0)
    return auto


def tuner(with_fit: bool) -> type:
    """KerasTuner's own, without TensorBoard; ``with_fit``: without anything of Keras 3."""
    import keras_tuner

    class Tuner(keras_tuner.RandomSearch):  # type: ignore[misc]
        def __init__(self, hypermodel: Any, autoqkeras_config: Any = None, **options: Any) -> None:
            super().__init__(hypermodel, **options)

        def _configure_tensorboard_dir(self, *args: Any) -> None:
            return None

        def fit_of_keras_2(self, trial: Any, *args: Any, **kwargs: Any) -> Any:
            history = self.hypermodel.build(trial.hyperparameters).fit(*args, **kwargs).history
            return {name: values[-1] for name, values in history.items()}

    if with_fit:
        Tuner.run_trial = Tuner.fit_of_keras_2
    return Tuner


def in_two_models(folder: str) -> Any:
    keras, plain = framework().keras, net()
    start = keras.layers.Input((4,))
    value = keras.layers.Activation("linear", name="first")(start)
    for layer in plain.layers[1:]:
        value = layer(value)
    return made(folder, compiled(keras.Model(start, value)), **NO_PATTERN)


def pooled(folder: str) -> Any:
    """Both the reference's energy and a first candidate's are computed as AutoQKeras is made."""
    keras = framework().keras
    start = keras.layers.Input((8, 8, 1))
    flat = keras.layers.Flatten()(keras.layers.AveragePooling2D(2)(keras.layers.Conv2D(4, 3)(start)))
    return made(folder, compiled(keras.Model(start, keras.layers.Dense(2)(flat))), **NO_PATTERN)


def scheduled(folder: str) -> Any:
    options = {**NO_PATTERN, "custom_tuner": tuner(True), "blocks": ["^hidden|^act", "^logits"]}
    model = net()
    losses = framework().keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(framework().keras.optimizers.legacy.Adam(1e-3), loss=losses, metrics=["acc"])
    return fitted(made(folder, model, "AutoQKerasScheduler", **options))


CASES: dict[str, tuple[bool, Callable[[str], Any]]] = {  # name -> (whether with layers_known, what fails)
    "AutoQKeras(model, limit=...) with its own defaults": (False, lambda f: made(f)),
    "... with tune_filters_exceptions='$^'": (False, lambda f: made(f, **NO_PATTERN)),
    "... with QKeras's layers named in keras.layers, .fit()": (True, lambda f: fitted(made(f, **NO_PATTERN))),
    "... with a tuner that leaves TensorBoard out": (
        True,
        lambda f: fitted(made(f, **NO_PATTERN, custom_tuner=tuner(False))),
    ),
    "... with a tuner that fits by itself": (
        True,
        lambda f: fitted(made(f, **NO_PATTERN, custom_tuner=tuner(True))),
    ),
    "the energy goal on a model that shares layers with another": (True, in_two_models),
    "the energy goal on average pooling (qkeras#100)": (True, pooled),
    "AutoQKerasScheduler, with all of this and a legacy optimizer": (True, scheduled),
}


def cause(error: BaseException) -> str:
    """The last line of what an exception says: where KerasTuner reports a trial's, that is the trial's."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = f" ... {lines[-1][:150]}" if len(lines) > 1 else ""
    return f"{type(error).__name__}: {lines[0][:240]}{last}"


def main() -> None:
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    for name, (known, case) in CASES.items():
        with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
            said = "runs"
            try:
                with layers_known() if known else nullcontext(), redirect_stdout(log):
                    case(folder)
            except Exception as error:
                said = cause(error)
        print(f"* {name}\n    {said}")


if __name__ == "__main__":
    main()
