"""Block-diagonal layers as grouped units, and the head that reorders channels: integers, cycles, mapping."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rtl_bench import DEVICES, Stage, Stream, run_netlist, run_stages, stream

from bitsmith.hls.backends.rtl.folded.blocks import block_form, reorder_head
from bitsmith.hls.backends.rtl.folded.codebook import gathering, gathering_parts
from bitsmith.hls.backends.rtl.folded.cycles import exact_cycles
from bitsmith.hls.backends.rtl.folded.design import Edge, StreamType, Structure
from bitsmith.hls.backends.rtl.folded.design import Stage as DesignStage
from bitsmith.hls.backends.rtl.folded.matrix import cycles, legal_folding, mvu_head
from bitsmith.models.ir import NetBuilder, QuantType, execute, find_block_diagonal, find_codebook, intervals

# in lanes, out lanes, elements in, elements out, vectors a frame; 6 beats out a frame
SHAPES = [(1, 1, 6, 6, 1), (2, 1, 8, 6, 1), (3, 2, 12, 12, 1), (4, 4, 4, 24, 1), (1, 3, 7, 18, 1), (2, 2, 4, 4, 3)]


def order_of(rng: np.random.Generator, size: int, out: int) -> np.ndarray:
    return rng.permutation(size) if size == out else rng.integers(0, size, out)


def test_reordering(rng: np.random.Generator, tmp_path: Path) -> None:
    frames, stages, expected = 6, [], []
    for in_lanes, out_lanes, size, out, vectors in SHAPES:
        order = order_of(rng, size, out)
        head = reorder_head(order, size, in_lanes, out_lanes, 5, vectors, "ecp5")
        x = rng.integers(0, 32, (frames, vectors, size))
        expected.append(x[..., order].reshape(frames, -1, out_lanes))
        stages.append(Stage(head, [[]], [Stream(x.reshape(frames, -1, in_lanes), 5)], [False]))
    results = run_stages(tmp_path, stages, 6)
    for number, y in enumerate(expected):
        assert all((r.outputs[number] == y).all() for r in results), SHAPES[number]


@pytest.mark.parametrize("shape", [SHAPES[1], SHAPES[5]])
def test_cycles_of_a_reordering_are_predicted(rng: np.random.Generator, tmp_path: Path, shape) -> None:
    in_lanes, out_lanes, size, out, vectors = shape
    head = reorder_head(order_of(rng, size, out), size, in_lanes, out_lanes, 5, vectors, "ecp5")
    x = rng.integers(0, 32, (20, vectors * size // in_lanes, in_lanes))
    stage = Stage(head, [[]], [Stream(x, 5)], [False], depth=8)
    result = run_stages(tmp_path, [stage], 6, stalls=(0,))[0]
    into = Edge(None, "r", 0, StreamType(x.shape[1], in_lanes, 5, False))
    onward = Edge("r", None, 0, StreamType(6, out_lanes, 5, False))
    structure = Structure(None, None, {"r": DesignStage("r", head, (), ())}, (into, onward))  # type: ignore[arg-type]
    predicted = exact_cycles(structure, {onward: 8}).predict(20)
    assert [d - result.first_taken for d in result.done] == predicted


def block_weight(rng: np.random.Generator, blocks: int, n_in: int, n_out: int) -> np.ndarray:
    rows, cols = (np.arange(n) * blocks // n for n in (n_in, n_out))
    weight = rng.integers(1, 8, (n_in, n_out)) * (rows[:, None] == cols)
    return weight[rng.permutation(n_in)][:, rng.permutation(n_out)]


@pytest.mark.parametrize(("blocks", "n_in", "n_out"), [(4, 8, 16), (3, 10, 11)])
def test_a_layer_of_blocks(rng: np.random.Generator, tmp_path: Path, blocks: int, n_in: int, n_out: int) -> None:
    """Gathered inputs through the grouped unit, gathered outputs: the plain layer's integers in fewer cycles."""
    weight = block_weight(rng, blocks, n_in, n_out)
    b = NetBuilder("t")
    x = b.input("x", (n_in,), QuantType(4, True))
    net = b.build(b.dense("d", x, weight, rng.integers(-9, 9, n_out), structure=find_block_diagonal(weight)))
    op = net.output
    assert op.structure.blocks == blocks
    form = block_form(op)
    pe, simd = legal_folding(form.conv, net.input)[-1]
    simd = 1 if simd > 2 else simd
    assert cycles(form.conv, pe, simd) < n_in * n_out // (pe * simd)
    head = mvu_head(form.conv, net.input, pe, simd, "ecp5")
    values = rng.integers(-8, 8, (6, n_in))
    gathered = values[:, form.gather_in].reshape(6, -1, simd)
    beats = form.conv.weight.shape[-1] // pe
    result = run_stages(tmp_path, [Stage(head, [[]], [stream(gathered, net.input.type)], [True])], beats)[0]
    assert (result.outputs[0].reshape(6, -1)[:, form.gather_out] == execute(net, values)).all()


@pytest.mark.nightly
@pytest.mark.parametrize("name", list(DEVICES))
def test_mapped_netlists(rng: np.random.Generator, tmp_path: Path, name: str) -> None:
    """A reordering, and the weighing of accumulate-then-multiply, as yosys makes them."""
    family = DEVICES[name][0]
    order = rng.permutation(64)
    head = reorder_head(order, 64, 4, 2, 6, 1, family)
    x = rng.integers(0, 64, (6, 64))
    weight = rng.choice([-113, 0, 5, 99], (16, 32))
    b = NetBuilder("t")
    v = b.input("x", (16,), QuantType(5, True))
    net = b.build(b.dense("d", v, weight, rng.integers(-9, 9, 32), structure=find_codebook(weight)))
    found = gathering(net.output, intervals(net)["x"])
    assert found is not None
    masks, weigh = gathering_parts(net.output, net.input, found, 1, 2, family)
    y = rng.integers(-16, 16, (6, 16))
    stages = [
        Stage(head, [[]], [Stream(x.reshape(6, 16, 4), 6)], [False]),
        Stage(masks, [[weigh]], [stream(y.reshape(6, 8, 2), net.input.type)], [True]),
    ]
    expected = [x[:, order].reshape(6, 32, 2), execute(net, y).reshape(6, 32, 1)]
    for outputs in run_netlist(tmp_path, stages, 32, name):
        for mine, wanted in zip(outputs, expected, strict=True):
            assert (mine == wanted[: len(mine)]).all()
