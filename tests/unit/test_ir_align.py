"""Permutations of blocks are moved into neighbours: the same integers, fewer reorderings."""

from __future__ import annotations

import numpy as np
import pytest

from bitsmith.models.ir import (
    BlockDiagonal,
    NetBuilder,
    QNet,
    QuantType,
    execute,
    find_block_diagonal,
    find_codebook,
    random_inputs,
    verify,
)
from bitsmith.models.ir.passes import align_blocks

CHANNELS = 12


def blocks(rng: np.random.Generator, count: int, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """(12, 12) weights in ``count`` blocks; ``rows`` and ``cols`` shuffle them."""
    weight = np.kron(np.eye(count, dtype=np.int64), np.ones((CHANNELS // count,) * 2, np.int64))
    return (weight * rng.integers(1, 4, weight.shape))[rows][:, cols]


def chain(rng: np.random.Generator, weights: list[np.ndarray], structures: list) -> QNet:
    """Dense layers with requants, thresholds per channel and tables between them."""
    b = NetBuilder("t")
    v = b.input("x", (weights[0].shape[0],), QuantType(4, True))
    for k, (weight, structure) in enumerate(zip(weights, structures, strict=True)):
        scale = tuple(2.0 ** -rng.integers(1, 4, weight.shape[1])) if k % 2 else 1.0
        v = b.dense(f"d{k}", v, weight, rng.integers(-9, 9, weight.shape[1]), scale=scale, structure=structure)
        if k == len(weights) - 1:
            break
        if k % 2:
            v = b.thresholds(f"t{k}", v, 1.0, np.sort(rng.integers(-40, 40, (weight.shape[1], 5)), axis=1))
        else:
            mult, add = rng.integers(1, 5, weight.shape[1]), rng.integers(-9, 9, weight.shape[1])
            v = b.requant(f"r{k}", v, 1.0, -8, 7, 3, mult, add)
            v = b.lut(f"l{k}", v, 1.0, rng.integers(-4, 4, 16), -8)
    return b.build(v)


def orders(net: QNet, name: str) -> tuple[bool, bool]:
    """Whether the inputs and the outputs of a layer are in the order of its blocks."""
    structure = net[name].structure
    assert isinstance(structure, BlockDiagonal)
    return tuple(np.array_equal(o, np.arange(o.size)) for o in (structure.in_order, structure.out_order))


def same(net: QNet) -> QNet:
    aligned = verify(align_blocks(net))
    x = random_inputs(net, 200, 1)
    assert (execute(aligned, x) == execute(net, x)).all()
    return aligned


@pytest.mark.parametrize("seed", range(5))
def test_plain_neighbours_take_both_permutations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    middle = blocks(rng, 3, rng.permutation(CHANNELS), rng.permutation(CHANNELS))
    plain = [rng.integers(-3, 4, (7, CHANNELS)), rng.integers(-3, 4, (CHANNELS, 5))]
    book = find_codebook(plain[1])
    net = chain(rng, [plain[0], middle, plain[1]], [find_codebook(plain[0]), find_block_diagonal(middle), book])
    assert orders(net, "d1") == (False, False)
    aligned = same(net)
    assert orders(aligned, "d1") == (True, True)
    assert (aligned["d2"].structure.values[aligned["d2"].structure.index] == aligned["d2"].weight).all()


@pytest.mark.parametrize("seed", range(5))
def test_aligned_layers_need_no_order_between_them(seed: int) -> None:
    """The groups of the second are those of the first: two independent chains."""
    rng = np.random.default_rng(seed)
    middle = rng.permutation(CHANNELS)
    first = blocks(rng, 4, rng.permutation(CHANNELS), middle)
    second = blocks(rng, 4, middle, rng.permutation(CHANNELS))
    net = chain(rng, [first, second], [find_block_diagonal(first), find_block_diagonal(second)])
    aligned = same(net)
    assert orders(aligned, "d0")[1] and orders(aligned, "d1")[0]


def test_mixing_layers_keep_one_order_between_them(rng: np.random.Generator) -> None:
    weights = [blocks(rng, 3, rng.permutation(CHANNELS), rng.permutation(CHANNELS)) for _ in range(2)]
    aligned = same(chain(rng, weights, [find_block_diagonal(w) for w in weights]))
    assert orders(aligned, "d0")[1] and not orders(aligned, "d1")[0]


def test_the_nets_own_input_and_output_stay(rng: np.random.Generator) -> None:
    weight = blocks(rng, 2, rng.permutation(CHANNELS), rng.permutation(CHANNELS))
    net = chain(rng, [weight], [find_block_diagonal(weight)])
    assert orders(same(net), "d0") == orders(net, "d0")
