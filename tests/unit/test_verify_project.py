"""The proof itself: it must find what is wrong, and say where it starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitsmith.hls.backends.base import write_manifest
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Simulation
from bitsmith.hls.verify import save_vectors, verification_inputs, verify_project
from bitsmith.models.ir import InputError, NetBuilder, QNet, QuantType, execute, random_inputs, save, trace
from bitsmith.models.ir.types import IntArray


class Engine:
    """A stand-in for a backend: computes another net than the one that the project claims."""

    name = "stand-in"

    def __init__(self, really: QNet) -> None:
        self.really = really

    def simulate(self, project: Path, net: QNet, x: IntArray, taps: bool) -> Simulation:
        return Simulation("stand-in", execute(self.really, x), values=trace(self.really, x) if taps else {})


@pytest.fixture
def net(rng: np.random.Generator) -> QNet:
    b = NetBuilder("n")
    d = b.dense("d", b.input("x", (4,), QuantType(4, True)), rng.integers(-3, 4, (4, 3)))
    return b.build(b.dense("e", b.requant("q", d, 1.0, 0, 7, 2), rng.integers(1, 4, (3, 2))))


@pytest.fixture
def project(net: QNet, tmp_path: Path) -> Path:
    write_manifest(tmp_path, net, HwConfig(load_board("arty-a7-35t"), 100.0), {})
    return tmp_path


def test_the_same_integers_are_exact(net: QNet, project: Path) -> None:
    done = verify_project(project, Engine(net), samples=300)
    assert done.exact and done.mismatch is None and done.samples == 300


def test_one_wrong_weight_is_found_and_the_first_op_named(net: QNet, project: Path) -> None:
    weight = net["d"].weight.copy()  # type: ignore[attr-defined]
    weight[2, 1] += 1
    wrong = net.with_ops(tuple(replace(op, weight=weight) if op.name == "d" else op for op in net.ops))
    done = verify_project(project, Engine(wrong))
    assert not done.exact and done.mismatch is not None
    assert done.mismatch.op == "d" and done.mismatch.index == (1,)
    x = verification_inputs(project, net, None)
    row = done.mismatch.row
    assert done.mismatch.expected == trace(net, x)["d"][row, 1]
    assert done.mismatch.got == trace(wrong, x)["d"][row, 1]
    assert str(done.mismatch).startswith(f"op d, row {row}, index [1]: expected ")


def test_an_altered_project_is_refused(net: QNet, project: Path) -> None:
    weight = -net["d"].weight  # type: ignore[attr-defined]
    other = net.with_ops(tuple(replace(op, weight=weight) if op.name == "d" else op for op in net.ops))
    save(other, project / "net")
    with pytest.raises(InputError, match="not the net that the project was written from"):
        verify_project(project, Engine(net))


def test_kept_vectors_come_first_then_corners(net: QNet, project: Path) -> None:
    kept = np.full((5, 4), 3)
    save_vectors(project, kept)
    x = verification_inputs(project, net, 20)
    assert len(x) == 20 and (x[:5] == 3).all()
    assert (x[5] == -8).all() and (x[6] == 7).all() and (x[7] == 0).all()
    assert len(verification_inputs(project, net, 2)) == 2
    assert len(verification_inputs(project, net, None)) == 1000
    assert (random_inputs(net, 50, 1) == random_inputs(net, 50, 1)).all()
    assert (random_inputs(net, 50, 1) != random_inputs(net, 50, 2)).any()
