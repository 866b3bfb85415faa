"""Designs per second of ``estimate_many`` on one core, by backend; rule4ml's public call in the same run.

    python scripts/bench_estimate_many.py [DESIGNS]

rule4ml 0.2.0 is not among this project's dependencies: it is timed where it is installed (with tensorflow and torch,
in an environment of its own; PYTHONPATH names this project there).
"""

from __future__ import annotations

import importlib.util
import sys
import time

import numpy as np

from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.many import estimate_many
from bitsmith.hls.estimate.table import LayerTable, layer_table

LAYERS = 3
CALLS = 20
"""Of rule4ml, each of one design."""


def random_table(designs: int) -> LayerTable:
    """Perceptrons of three layers: widths, bits, zeros, foldings drawn for each."""
    rng = np.random.default_rng(1)
    n = designs * LAYERS
    widths = 2.0 ** rng.integers(3, 8, (designs, LAYERS + 1))
    bits = rng.integers(1, 9, n).astype(float)
    return layer_table(
        np.repeat(np.arange(designs), LAYERS),
        channels=widths[:, :-1].ravel(),
        outputs=widths[:, 1:].ravel(),
        a_bits=rng.integers(1, 9, n),
        w_bits=bits,
        act_bits=rng.integers(1, 9, n),
        density=np.where(bits > 1, rng.uniform(0.1, 1.0, n), 1.0),
        pe=2.0 ** rng.integers(0, 4, n),
        simd=2.0 ** rng.integers(0, 4, n),
        reuse=2.0 ** rng.integers(0, 4, n),
    )


def main(designs: int) -> None:
    table = random_table(designs)
    for backend, board in (("rtl-folded", "ulx3s-85f"), ("rtl-unrolled", "ulx3s-85f"), ("hls4ml", "pynq-z2")):
        hw = HwConfig(load_board(board), 100.0, backend)
        estimate_many(random_table(10), hw)  # what is read once
        start = time.process_time()
        estimate_many(table, hw)
        seconds = time.process_time() - start
        print(f"{backend}: {designs / seconds:,.0f} designs of {LAYERS} layers per second of one core")
    if importlib.util.find_spec("rule4ml") is None:
        print("rule4ml is not installed: not timed")
    else:
        rule4ml()


def rule4ml() -> None:
    """One model, priced anew at each call; making it in Keras is not timed."""
    import keras
    from rule4ml.models.wrappers import MultiModelWrapper

    estimator = MultiModelWrapper()
    estimator.load_default_models()
    inputs = keras.Input(shape=(64,))
    x = inputs
    for units in (32, 32, 8):
        x = keras.layers.Dense(units)(x)
    model = keras.Model(inputs, x)
    model.build((None, 64))
    config = {
        "board": "pynq-z2",
        "model": {"strategy": "resource", "precision": "ap_fixed<8, 3>", "reuse_factor": 4},
    }
    estimator.predict(model, hls_configs=[config])  # what is read once
    start = time.process_time()
    for _ in range(CALLS):
        estimator.predict(model, hls_configs=[config])
    seconds = time.process_time() - start
    print(f"rule4ml: {CALLS / seconds:,.1f} designs of {LAYERS} layers per second of one core")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
