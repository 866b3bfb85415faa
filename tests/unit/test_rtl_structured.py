"""Structured weights in whole folded designs: exact, in the predicted cycles, and cheaper than plain ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitsmith.hls.backends.rtl.folded import cycles
from bitsmith.hls.backends.rtl.folded.backend import RtlFolded
from bitsmith.hls.backends.rtl.folded.folding import GATHER, cycles_of, legal_folds
from bitsmith.hls.backends.rtl.folded.plan import design_of, plan
from bitsmith.hls.backends.rtl.folded.project import write_project
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir import (
    NetBuilder,
    QNet,
    QuantType,
    execute,
    find_block_diagonal,
    find_codebook,
    find_n_of_m,
    random_inputs,
    trace,
)
from bitsmith.models.ir.ops import Dense
from bitsmith.models.ir.passes import align_blocks

HW = HwConfig(load_board("ulx3s-12f"), 50.0, "rtl-folded", target_ii=200)
BACKEND = RtlFolded()


def blocks(rng: np.random.Generator, sizes: list[tuple[int, int]]) -> np.ndarray:
    """A block-diagonal matrix of such (inputs, outputs), its channels shuffled."""
    n_in, n_out = (sum(s[i] for s in sizes) for i in (0, 1))
    w = np.zeros((n_in, n_out), np.int64)
    row = col = 0
    for ins, outs in sizes:
        w[row : row + ins, col : col + outs] = rng.choice([-3, -2, -1, 1, 2, 3], (ins, outs))
        row, col = row + ins, col + outs
    return w[rng.permutation(n_in)][:, rng.permutation(n_out)]


def mlp(name: str, first: np.ndarray, second: np.ndarray, find: object) -> QNet:
    b = NetBuilder(name)
    rng = np.random.default_rng(9)
    x = b.input("x", (first.shape[0],), QuantType(4, True))
    y = b.dense("fc1", x, first, rng.integers(-5, 6, first.shape[1]), structure=find(first))  # type: ignore[operator]
    y = b.requant("act", y, 1.0, -8, 7, 2, add=rng.integers(-9, 9, first.shape[1]))
    return b.build(b.dense("fc2", y, second, rng.integers(-5, 6, second.shape[1]), structure=find(second)))  # type: ignore[operator]


def block_net(uneven: bool = False) -> QNet:
    rng = np.random.default_rng(1)
    sizes = [(5, 4), (4, 4), (4, 3)] if uneven else [(4, 4)] * 4
    second = [(4, 2), (4, 2), (3, 2)] if uneven else [(4, 2)] * 4
    return mlp("blocks", blocks(rng, sizes), blocks(rng, second), find_block_diagonal)


def codebook_net() -> QNet:
    rng = np.random.default_rng(2)
    book = np.array([-37, 5, 11, 64])
    return mlp("book", rng.choice(book, (24, 8)), rng.choice(book, (8, 4)), find_codebook)


def sparse_net() -> QNet:
    rng = np.random.default_rng(3)

    def half(n_in: int, n_out: int) -> np.ndarray:
        w = rng.integers(1, 60, (n_in // 4, 4, n_out))
        keep = np.argsort(rng.random(w.shape), axis=1) < 2
        return np.where(keep, w, 0).reshape(n_in, n_out)

    return mlp("sparse", half(24, 8), half(8, 4), lambda w: find_n_of_m(w, 4))


NETS = {"blocks": block_net, "uneven": lambda: block_net(True), "codebook": codebook_net, "sparse": sparse_net}


def prove(net: QNet, folder: Path, hw: HwConfig = HW) -> None:
    x = random_inputs(net, 30, 2)
    BACKEND.emit(net, hw, folder, x)
    result = BACKEND.simulate(folder, net, x, taps=True)
    assert (result.outputs == execute(net, x)).all()
    inner = trace(net, x)
    assert all((values == inner[op]).all() for op, values in result.values.items())


@pytest.mark.parametrize("name", ["blocks", "sparse"])
def test_structured_nets_are_exact(name: str, tmp_path: Path) -> None:
    net = NETS[name]()
    assert all(op.structure is not None for op in net.ops if op.kind == "dense")  # type: ignore[attr-defined]
    prove(net, tmp_path)


def test_sums_per_codeword_are_exact(tmp_path: Path) -> None:
    net = codebook_net()
    folds = {op.name: legal_folds(net, op)[0] for op in net.ops}
    gathers = [f for f in legal_folds(net, net["fc1"]) if f.mult == GATHER]
    assert gathers and all(24 // f.simd >= 4 for f in gathers)
    design = design_of(net, HW, {**folds, "fc1": gathers[-1]})
    assert any(p.module == "bitsmith_weigh" for stage in design.structure.stages.values() for p in stage.pipes)
    x = random_inputs(net, 30, 2)
    write_project(design, HW, tmp_path, x)
    assert (BACKEND.simulate(tmp_path, net, x, taps=False).outputs == execute(net, x)).all()


@pytest.mark.nightly
@pytest.mark.parametrize("target", [1000, 200, 40, 16])
@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("board", ["ulx3s-12f", "icebreaker", "pynq-z2"])
def test_structured_nets_everywhere(board: str, name: str, target: int, tmp_path: Path) -> None:
    net = NETS[name]()
    prove(net, tmp_path / "plain", replace(HW, board=load_board(board), target_ii=target))
    if name in ("blocks", "uneven"):
        prove(align_blocks(net), tmp_path / "aligned", replace(HW, board=load_board(board), target_ii=target))


def test_distances_that_come_short_now_and_then_are_predicted() -> None:
    """Nine results in eighty cycles: a loop of three units holds the design up, not the busiest of them."""
    hw = replace(HW, board=load_board("pynq-z2"), target_ii=16)
    design = plan(align_blocks(block_net()), hw)
    graph = cycles._Graph(design.structure, design.depths, 0, 100)
    times = cycles.Times(graph.processes, 100)
    done = times.at(graph.sink, graph.last_beat)[:, 0] - graph.first_taken(times)
    assert design.cycles.predict(100) == done.tolist()
    assert sorted(design.cycles.distances) == [8, *[9] * 8]


def test_blocks_take_their_share_of_the_cycles() -> None:
    net = block_net()
    plain = net.with_ops(tuple(replace(op, structure=None) if isinstance(op, Dense) else op for op in net.ops))
    for name, dense in (("fc1", 16 * 16), ("fc2", 16 * 8)):
        assert cycles_of(plain, plain[name], legal_folds(plain, plain[name])[0]) == dense
        assert cycles_of(net, net[name], legal_folds(net, net[name])[0]) == dense // 4
    hw = replace(HW, target_ii=64)
    costs = [sum(s.cost.lut + 16 * s.cost.bram for s in plan(n, hw).rows()) for n in (align_blocks(net), plain)]
    assert costs[0] < costs[1]
