"""Annotations of a weight's structure: found, checked against the weight, stored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitsmith.models.ir import (
    BlockDiagonal,
    Codebook,
    InputError,
    InvalidNetError,
    NetBuilder,
    NofM,
    QNet,
    QuantType,
    content_hash,
    execute,
    find_block_diagonal,
    find_codebook,
    find_n_of_m,
    load,
    save,
    to_text,
)
from bitsmith.models.ir.passes import narrow
from bitsmith.models.ir.structure import bounds


def shuffled_blocks(rng: np.random.Generator, n_in: int, n_out: int, blocks: int, zeros: float = 0.0) -> np.ndarray:
    """(n_in, n_out) weights in blocks, rows and columns shuffled."""
    weight = np.zeros((n_in, n_out), np.int64)
    rows, cols = bounds(n_in, blocks), bounds(n_out, blocks)
    for b in range(blocks):
        part = rng.integers(1, 4, (rows[b + 1] - rows[b], cols[b + 1] - cols[b]))
        weight[rows[b] : rows[b + 1], cols[b] : cols[b + 1]] = part * (rng.random(part.shape) >= zeros)
    return weight[rng.permutation(n_in)][:, rng.permutation(n_out)]


def dense_net(weight: np.ndarray, structure=None) -> QNet:
    b = NetBuilder("t")
    x = b.input("x", (weight.shape[0],), QuantType(4, True))
    return b.build(b.dense("d", x, weight, structure=structure))


def blocks_of(weight: np.ndarray, structure: BlockDiagonal) -> list[np.ndarray]:
    sorted_weight = weight[structure.in_order][:, structure.out_order]
    rows, cols = (bounds(n, structure.blocks) for n in weight.shape)
    return [sorted_weight[rows[b] : rows[b + 1], cols[b] : cols[b + 1]] for b in range(structure.blocks)]


@pytest.mark.parametrize(
    ("n_in", "n_out", "blocks"), [(12, 8, 4), (784, 300, 10), (7, 5, 2), (9, 9, 9), (300, 100, 10)]
)
def test_shuffled_blocks_are_found(rng: np.random.Generator, n_in: int, n_out: int, blocks: int) -> None:
    weight = shuffled_blocks(rng, n_in, n_out, blocks)
    found = find_block_diagonal(weight)
    assert found is not None and found.blocks == blocks
    assert sum((b != 0).sum() for b in blocks_of(weight, found)) == (weight != 0).sum()
    dense_net(weight, found)  # verify accepts it


def test_zeros_within_blocks_and_lonely_channels(rng: np.random.Generator) -> None:
    weight = shuffled_blocks(rng, 24, 16, 4, zeros=0.3)
    weight[3], weight[:, 5] = 0, 0
    found = find_block_diagonal(weight)
    assert found is not None and found.blocks >= 4
    dense_net(weight, found)


def test_a_full_weight_has_no_blocks(rng: np.random.Generator) -> None:
    assert find_block_diagonal(rng.integers(1, 5, (6, 4))) is None


def test_conv_blocks_hold_for_all_taps(rng: np.random.Generator) -> None:
    weight = np.stack([shuffled_blocks(np.random.default_rng(3), 6, 4, 2) * (t + 1) for t in range(3)])
    found = find_block_diagonal(weight)
    assert found is not None and found.blocks == 2
    weight[1] = np.where(weight[1] == 0, 1, weight[1])
    assert find_block_diagonal(weight) is None


def test_codebook(rng: np.random.Generator) -> None:
    weight = rng.choice([-9, -2, 0, 5], (10, 6))
    found = find_codebook(weight)
    assert found is not None and found.values.tolist() == [-9, -2, 0, 5]
    assert (found.values[found.index] == weight).all()
    assert find_codebook(weight, 3) is None
    dense_net(weight, found)


def test_n_of_m(rng: np.random.Generator) -> None:
    weight = rng.integers(1, 4, (8, 5))
    weight[[1, 3, 4, 7]] = 0
    found = find_n_of_m(weight, 4)
    assert found is not None and (found.n, found.m) == (2, 4)
    assert find_n_of_m(weight, 3) is None and find_n_of_m(np.ones((8, 5), np.int64), 4) is None
    assert find_n_of_m(np.zeros((4, 2), np.int64), 4).n == 1
    dense_net(weight, found)


WEIGHT = np.array([[1, 0], [2, 0], [0, 3], [0, 4]])
GOOD = BlockDiagonal(2, np.arange(4), np.arange(2))


@pytest.mark.parametrize(
    ("structure", "text"),
    [
        (replace(GOOD, in_order=np.array([2, 1, 0, 3])), "4 weights other than zero lie outside|2 weights other"),
        (replace(GOOD, in_order=np.array([0, 0, 1, 2])), "in_order must be a permutation of 4 channels"),
        (replace(GOOD, out_order=np.array([0])), "out_order must be a permutation of 2 channels"),
        (replace(GOOD, blocks=3), "3 blocks do not suit a weight of 4 inputs and 2 outputs"),
        (Codebook(np.array([0, 1, 2, 3, 5]), np.array([[1, 0], [2, 0], [0, 3], [0, 4]])), "gives other weights"),
        (Codebook(np.array([0, 2, 1, 3, 4]), WEIGHT), "must ascend"),
        (Codebook(np.array([0, 1, 2]), WEIGHT), r"index of shape \(4, 2\) into its 3 values"),
        (NofM(1, 2), "2 of 2 successive weights are not zero, not 1"),
        (NofM(1, 3), "1 of 3 does not suit 4 inputs"),
    ],
)
def test_a_structure_that_differs_from_its_weight_is_refused(structure, text: str) -> None:
    with pytest.raises(InvalidNetError, match=f"d: .*({text}).*a structure says the same"):
        dense_net(WEIGHT, structure)


def test_groups_and_blocks_exclude_each_other(rng: np.random.Generator) -> None:
    b = NetBuilder("t")
    x = b.input("x", (5, 4), QuantType(4, True))
    structure = BlockDiagonal(2, np.arange(2), np.arange(4))
    with pytest.raises(InvalidNetError, match="in groups has its blocks already"):
        b.build(b.conv("c", x, np.ones((3, 2, 4), np.int64), groups=2, structure=structure))


@pytest.mark.parametrize("structure", [GOOD, find_codebook(WEIGHT), NofM(2, 4), None])
def test_stored_and_named(structure, tmp_path: Path) -> None:
    net = dense_net(WEIGHT, structure)
    save(net, tmp_path)
    again = load(tmp_path)
    assert content_hash(again) == content_hash(net)
    assert to_text(again) == to_text(net)
    assert ("structure" in (tmp_path / "net.json").read_text()) == (structure is not None)
    mine, theirs = net["d"].structure, again["d"].structure
    assert type(mine) is type(theirs)
    for name in getattr(structure, "__dataclass_fields__", {}):
        assert np.array_equal(getattr(mine, name), getattr(theirs, name))
    words = {BlockDiagonal: "2 blocks", Codebook: "codebook of 5", NofM: "2 of 4"}.get(type(structure), "zero : ")
    assert words in to_text(net)
    assert (content_hash(net) != content_hash(dense_net(WEIGHT))) == (structure is not None)
    x = np.array([[1, 2, 3, -4]])
    assert (execute(again, x) == execute(dense_net(WEIGHT), x)).all()
    assert type(narrow(net)["d"].structure) is type(structure)


def test_a_net_without_structure_keeps_the_hash_that_it_had() -> None:
    """Of before there were structures: written down then."""
    assert content_hash(dense_net(WEIGHT)) == "484a66b86c565230f68bc4c340de494219facb0c5b619c7fe7180c37abeee9db"


def test_an_unknown_structure_is_an_unreadable_net(tmp_path: Path) -> None:
    save(dense_net(WEIGHT, GOOD), tmp_path)
    text = (tmp_path / "net.json").read_text().replace("block_diagonal", "triangular")
    (tmp_path / "net.json").write_text(text)
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path)
