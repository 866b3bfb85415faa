"""Small QKeras networks with random weights for the tests of lowering."""

from __future__ import annotations

from typing import Any

import numpy as np

from bitsmith.models.ir import QNet, execute, random_inputs
from bitsmith.models.lower.keras.io import import_qkeras, import_tensorflow
from bitsmith.models.lower.qkeras import compare_on, lower


def keras() -> Any:
    return import_tensorflow().keras


def qk() -> Any:
    return import_qkeras()


def randomize(model: Any, seed: int = 0) -> Any:
    """Random weights everywhere, statistics of BatchNormalization included: negative gammas, small variances."""
    rng = np.random.default_rng(seed)
    values = []
    for w in model.weights:
        kind = w.name.split("/")[-1].split(":")[0]
        value = rng.normal(0, 0.4, w.shape)
        if "variance" in kind:
            value = rng.uniform(0.05, 3.0, w.shape)
        elif kind == "gamma":
            value = rng.uniform(-2.0, 2.0, w.shape)
        elif kind in ("iteration", "step", "quantizer_integer_bits", "ema_min", "ema_max"):
            value = np.asarray(w)
        values.append(np.asarray(value, w.dtype.as_numpy_dtype))
    model.set_weights(values)
    return model


def sequential(shape: tuple[int, ...], *layers: Any, seed: int = 0) -> Any:
    """A network of layers in a row; without AutoGraph it is built twice as fast."""
    import_tensorflow()
    from tensorflow.python.autograph.core import ag_ctx

    with ag_ctx.ControlStatusCtx(ag_ctx.Status.DISABLED):
        return randomize(keras().Sequential([keras().layers.InputLayer(shape), *layers]), seed)


def assert_exact(model: Any, rows: int = 300, seed: int = 0, **options: Any) -> QNet:
    """Lower, compare every integer on the input grid, and make sure that the outputs say something."""
    net = lower(model, name="net", **options)
    x = random_inputs(net, rows, seed)
    result = compare_on(model, net, x)
    assert result.exact, f"{len(result.mismatching)} of {rows} rows differ, by up to {result.max_abs_error}"
    assert len(np.unique(execute(net, x))) > 1, "a constant output proves nothing"
    return net
