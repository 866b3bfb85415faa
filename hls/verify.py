"""The proof: a written project, run by its own engine, against ``execute``; integers compared with ==."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from bitsmith.hls.backends.base import Backend, read_manifest
from bitsmith.hls.results import Mismatch, Simulation, VerifyResult
from bitsmith.models.ir import QNet, content_hash, execute, load, random_inputs, trace
from bitsmith.models.ir.errors import InputError
from bitsmith.models.ir.types import IntArray

VECTORS = "vectors.npz"
OUTPUTS = "outputs.npz"

AFFORDABLE_CYCLES = 40_000_000
"""Cycles that a simulation without a number of rows takes at most: some minutes."""


def save_vectors(folder: Path, x: IntArray) -> None:
    """Keep the input integers (n, *input shape) that a project is to be verified on."""
    np.savez_compressed(folder / VECTORS, x=x.astype(np.int64))


def load_net(folder: Path) -> QNet:
    """The net that a project was written from; InputError if it is not the one that the manifest names."""
    net = load(folder / "net")
    stated = read_manifest(folder)["net_sha256"]
    if content_hash(net) != stated:
        raise InputError(f"{folder}: net/ is not the net that the project was written from; emit it anew")
    return net


def verification_inputs(folder: Path, net: QNet, samples: int | None, seed: int = 0) -> IntArray:
    """Input integers: those kept with the project, then corners and random ones up to ``samples``.

    Without ``samples`` all that were kept are taken, and at least 1,000 rows; of a design that takes many
    cycles per row, as many as make AFFORDABLE_CYCLES, 16 at least.
    """
    kept = np.empty((0, *net.input.shape), np.int64)
    if (folder / VECTORS).exists():
        with np.load(folder / VECTORS, allow_pickle=False) as file:
            kept = file["x"]
    wanted = max(1000, len(kept)) if samples is None else samples
    if samples is None and (ii := read_manifest(folder).get("ii_cycles")):
        wanted = min(wanted, max(16, AFFORDABLE_CYCLES // ii))
    kept = kept[:wanted]
    return np.concatenate([kept, random_inputs(net, wanted - len(kept), seed)])


def verify_project(folder: Path, backend: Backend, samples: int | None = None, seed: int = 0) -> VerifyResult:
    """Simulate the project in ``folder`` and compare every integer with ``execute``.

    What the engine returned is kept in ``outputs.npz``.  On a difference the inner
    values are compared too, in the order of the net, and the first that differs is
    named.
    """
    started = time.monotonic()
    net = load_net(folder)
    x = verification_inputs(folder, net, samples, seed)
    run = backend.simulate(folder, net, x, taps=False)
    np.savez_compressed(folder / OUTPUTS, y=run.outputs)
    mismatch = first_difference({net.output.name: execute(net, x)}, {net.output.name: run.outputs})
    if mismatch is not None:
        mismatch = _inner_difference(folder, backend, net, x, mismatch)
    return VerifyResult(
        exact=mismatch is None,
        samples=len(x),
        engine=run.engine,
        net_sha256=content_hash(net),
        latency_cycles=run.latency_cycles,
        ii_cycles=run.ii_cycles,
        mismatch=mismatch,
        seconds=time.monotonic() - started,
    )


def first_difference(expected: dict[str, IntArray], got: dict[str, IntArray]) -> Mismatch | None:
    """The first op of ``expected`` (in its order) whose integers in ``got`` differ; missing ops are passed over."""
    for op, want in expected.items():
        have = got.get(op)
        if have is None:
            continue
        if have.shape != want.shape:
            raise AssertionError(f"the engine returned shape {have.shape} for {op}, not {want.shape}")
        wrong = np.argwhere(have != want)
        if len(wrong):
            where = tuple(int(i) for i in wrong[0])
            return Mismatch(op, where[0], where[1:], int(want[where]), int(have[where]))
    return None


def _inner_difference(folder: Path, backend: Backend, net: QNet, x: IntArray, found: Mismatch) -> Mismatch:
    """Run the one row that differs again, with the inner values."""
    row = x[found.row : found.row + 1]
    run: Simulation = backend.simulate(folder, net, row, taps=True)
    values = {**run.values, net.output.name: run.outputs}
    inner = first_difference(trace(net, row), values)
    if inner is None:
        return found  # only seen in the company of other rows: the output is all that can be named
    return Mismatch(inner.op, found.row, inner.index, inner.expected, inner.got)
