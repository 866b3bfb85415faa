#!/usr/bin/env python3
"""Rows per second of ``execute`` against hls4ml's compiled emulation, on the same nets in one run.

python scripts/bench_execute.py [--rows N] [--io io_parallel|io_stream] [--tool vitis|vivado|quartus|catapult]

The emulation is the project's C++ at -O1 (as fast as hls4ml's own -O3, it compiles faster) in a process
that loops over the rows in C++, so it is not charged with Python's time per row.  Both get one core: ``execute``
would otherwise take more of them for its matrix products.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from bitsmith.hls.backends.hls4ml.backend import Hls4ml
from bitsmith.hls.config import Board, Device, HwConfig
from bitsmith.models.ir import NetBuilder, QNet, QuantType, execute

DEVICE = Device("xc7z020", "xc7", "xc7z020clg400-1", 53200, 6, 106400, 220, 280, 18.0, "benchmark")
HW = HwConfig(Board("pynq-z2", "PYNQ-Z2", DEVICE, 125.0, "H16", "vivado", "benchmark"), 125.0, backend="hls4ml")
PIXELS = QuantType(8, False, 1 / 256)


def weights(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """4-bit weights, half of them zero."""
    return rng.integers(-8, 8, shape) * (rng.random(shape) < 0.5)


def mlp() -> QNet:
    """784-32-32-10, 4-bit weights and activations."""
    rng = np.random.default_rng(1)
    b = NetBuilder("mlp_784_32_32_10")
    x = b.input("pixels", (784,), PIXELS)
    x = b.requant("act1", b.dense("fc1", x, weights(rng, 784, 32), rng.integers(-99, 99, 32)), 1.0, 0, 15, 11)
    x = b.requant("act2", b.dense("fc2", x, weights(rng, 32, 32), rng.integers(-9, 9, 32)), 1.0, 0, 15, 4)
    return b.build(b.dense("fc3", x, weights(rng, 32, 10), rng.integers(-9, 9, 10)))


def conv_net() -> QNet:
    """28x28x1: two 3x3 convolutions of 8 channels with pooling, one dense layer."""
    rng = np.random.default_rng(2)
    b = NetBuilder("conv_28x28")
    x = b.input("pixels", (28, 28, 1), PIXELS)
    x = b.conv("conv1", x, weights(rng, 3, 3, 1, 8), rng.integers(-99, 99, 8), pads=((1, 1), (1, 1)))
    x = b.pool("pool1", b.requant("act1", x, 1.0, 0, 15, 8), "max", (2, 2))
    x = b.conv("conv2", x, weights(rng, 3, 3, 8, 8), rng.integers(-9, 9, 8))
    x = b.pool("pool2", b.requant("act2", x, 1.0, 0, 15, 5), "max", (2, 2))
    return b.build(b.dense("fc", b.reshape("flat", x, (288,)), weights(rng, 288, 10)))


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def measure(net: QNet, hw: HwConfig, rows: int, folder: Path) -> dict[str, object]:
    """Both speeds on the same rows, and whether both gave the same integers."""
    rng = np.random.default_rng(3)
    x = rng.integers(net.input.lo, net.input.hi + 1, (rows, *net.input.shape))
    backend = Hls4ml()
    backend.emit(net, hw, folder, x[:8])
    compile_s = seconds(lambda: backend.simulate(folder, net, x[:1], taps=False))
    start_s = seconds(lambda: backend.simulate(folder, net, x[:1], taps=False))  # the process, not the rows
    start = time.perf_counter()
    simulation = backend.simulate(folder, net, x, taps=False)
    emulation_s = time.perf_counter() - start - start_s
    with threadpool_limits(1):
        execute_s = min(seconds(lambda: execute(net, x)) for _ in range(3))
    return {
        "net": net.name,
        "engine": simulation.engine,
        "io": hw.io,
        "rows": rows,
        "exact": bool((simulation.outputs == execute(net, x)).all()),
        "compile_s": round(compile_s, 1),
        "emulation_rows_per_s": round(rows / emulation_s),
        "execute_rows_per_s": round(rows / execute_s),
        "ratio": round(emulation_s / execute_s, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--io", default="io_parallel", choices=("io_parallel", "io_stream"))
    parser.add_argument("--tool", default="vitis", choices=("vitis", "vivado", "quartus", "catapult"))
    options = parser.parse_args()
    exact = True
    for make in (mlp, conv_net):
        with tempfile.TemporaryDirectory() as folder:
            hw = replace(HW, io=options.io, hls_tool=options.tool)
            result = measure(make(), hw, options.rows, Path(folder))
        print(json.dumps(result), flush=True)
        exact = exact and bool(result["exact"])
    return 0 if exact else 5


if __name__ == "__main__":
    sys.exit(main())
