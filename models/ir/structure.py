"""Structure of a weight that hardware may exploit: an annotation beside the plain integers, never instead of them.

``docs/ir.md`` says what each must mean; :func:`mismatch` compares it with the weight.
Input and output are the last two axes of a weight; the kernel's axes stand before them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir.types import IntArray

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Annotation:
    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                frozen = np.array(value, dtype=np.int64, order="C")
                frozen.setflags(write=False)
                object.__setattr__(self, f.name, frozen)


@dataclass(frozen=True, eq=False)
class BlockDiagonal(_Annotation):
    """``weight[..., in_order, :][..., out_order]`` is zero outside of ``blocks`` blocks along its diagonal.

    Block b has the places ``bounds(size, blocks)[b] .. bounds(size, blocks)[b + 1] - 1`` of each axis.
    """

    blocks: int
    in_order: IntArray  # (n_in,) place -> input channel
    out_order: IntArray  # (n_out,) place -> output channel


@dataclass(frozen=True, eq=False)
class Codebook(_Annotation):
    """``weight == values[index]``."""

    values: IntArray  # (codewords,), ascending
    index: IntArray  # of the weight's shape


@dataclass(frozen=True, eq=False)
class NofM(_Annotation):
    """Of every ``m`` successive inputs (of one tap) of an output at most ``n`` have a weight other than zero."""

    n: int
    m: int


Structure = BlockDiagonal | Codebook | NofM

STRUCTURES: dict[str, type[Structure]] = {"block_diagonal": BlockDiagonal, "codebook": Codebook, "n_of_m": NofM}
"""Names on disk."""


def bounds(size: int, blocks: int) -> list[int]:
    """Where each of ``blocks`` blocks of ``size`` places begins, and the end: sizes differ by one at most."""
    return [b * size // blocks for b in range(blocks + 1)]


def describe(structure: Structure) -> str:
    """A few words for people."""
    if isinstance(structure, BlockDiagonal):
        return f"{structure.blocks} blocks"
    if isinstance(structure, Codebook):
        return f"codebook of {structure.values.size}"
    return f"{structure.n} of {structure.m}"


def mismatch(structure: Structure, weight: IntArray, groups: int) -> str:
    """What is wrong with ``structure`` beside ``weight``, or nothing."""
    if isinstance(structure, BlockDiagonal):
        return _block_mismatch(structure, weight, groups)
    if isinstance(structure, Codebook):
        values, index = structure.values, structure.index
        if values.ndim != 1 or (np.diff(values) <= 0).any():
            return "the values of a codebook must ascend"
        if index.shape != weight.shape or index.min() < 0 or index.max() >= values.size:
            return f"a codebook needs an index of shape {weight.shape} into its {values.size} values"
        return "" if (values[index] == weight).all() else "the codebook gives other weights"
    if not 1 <= structure.n <= structure.m or weight.shape[-2] % structure.m:
        return f"{structure.n} of {structure.m} does not suit {weight.shape[-2]} inputs"
    most = int(_nonzeros(weight, structure.m).max())
    return "" if most <= structure.n else f"{most} of {structure.m} successive weights are not zero, not {structure.n}"


def _block_mismatch(structure: BlockDiagonal, weight: IntArray, groups: int) -> str:
    sizes = weight.shape[-2:]
    if groups != 1:
        return "a weight in groups has its blocks already"
    if not 1 <= structure.blocks <= min(sizes):
        return f"{structure.blocks} blocks do not suit a weight of {sizes[0]} inputs and {sizes[1]} outputs"
    for what, order, size in zip(
        ("in_order", "out_order"), (structure.in_order, structure.out_order), sizes, strict=True
    ):
        if not np.array_equal(np.sort(order), np.arange(size)):
            return f"{what} must be a permutation of {size} channels"
    used = _pattern(weight)[structure.in_order][:, structure.out_order]
    places = [np.searchsorted(bounds(n, structure.blocks), np.arange(n), side="right") for n in sizes]
    outside = used & (places[0][:, None] != places[1])
    return f"{outside.sum()} weights other than zero lie outside of the blocks" if outside.any() else ""


def _pattern(weight: IntArray) -> Bools:
    """(n_in, n_out): whether an input reaches an output through any tap."""
    reached: Bools = (weight != 0).reshape(-1, *weight.shape[-2:]).any(axis=0)
    return reached


def _nonzeros(weight: IntArray, m: int) -> IntArray:
    """Weights other than zero in every run of ``m`` inputs."""
    n_in, n_out = weight.shape[-2:]
    counts: IntArray = (weight.reshape(-1, n_in // m, m, n_out) != 0).sum(axis=2)
    return counts


def find_codebook(weight: IntArray, most: int = 16) -> Codebook | None:
    """The codebook of a weight with at most ``most`` different values; None if it has more."""
    values, index = np.unique(weight, return_inverse=True)
    return Codebook(values, index.reshape(weight.shape)) if values.size <= most else None


def find_n_of_m(weight: IntArray, m: int) -> NofM | None:
    """The least n that holds for runs of ``m`` inputs; None if that is ``m``, or the runs do not come out even."""
    if weight.shape[-2] % m:
        return None
    n = max(1, int(_nonzeros(weight, m).max()))
    return NofM(n, m) if n < m else None


def find_block_diagonal(weight: IntArray) -> BlockDiagonal | None:
    """The most blocks that the zeros of ``weight`` allow; None if there are fewer than two.

    Inputs and outputs that weights connect must lie in one block.  Such clusters are put
    together, the largest first, until every block has its size.
    """
    used = _pattern(weight)
    cluster_in, cluster_out = _clusters(used)
    count = int(max(cluster_in.max(), cluster_out.max())) + 1
    sizes = np.stack([np.bincount(c, minlength=count) for c in (cluster_in, cluster_out)], axis=1)
    for blocks in range(min(count, *used.shape), 1, -1):
        block_of = _pack(sizes, used.shape, blocks)
        if block_of is not None:
            orders = [np.argsort(block_of[c], kind="stable") for c in (cluster_in, cluster_out)]
            return BlockDiagonal(blocks, orders[0], orders[1])
    return None


def _clusters(used: Bools) -> tuple[IntArray, IntArray]:
    """Number of its cluster for every input and every output."""
    n_in, n_out = used.shape
    of_in, of_out = np.full(n_in, -1), np.full(n_out, -1)
    count = 0
    for start in range(n_in):
        if of_in[start] >= 0:
            continue
        ins = np.zeros(n_in, bool)
        ins[start] = True
        while True:
            outs = used[ins].any(axis=0)
            wider = ins | used[:, outs].any(axis=1)
            if (wider == ins).all():
                break
            ins = wider
        of_in[ins], of_out[outs] = count, count
        count += 1
    lonely = np.flatnonzero(of_out < 0)
    of_out[lonely] = count + np.arange(lonely.size)
    return of_in, of_out


def _pack(sizes: IntArray, shape: tuple[int, ...], blocks: int) -> IntArray | None:
    """Block of every cluster of ``sizes`` (clusters, 2), so that the blocks are full; None if none was found."""
    room = np.stack([np.diff(bounds(n, blocks)) for n in shape], axis=1)
    block_of = np.empty(len(sizes), np.int64)
    for cluster in np.argsort(-sizes.sum(axis=1), kind="stable"):
        fits = np.flatnonzero((room >= sizes[cluster]).all(axis=1))
        if not fits.size:
            return None
        chosen = fits[np.argmin((room[fits] - sizes[cluster]).sum(axis=1))]
        room[chosen] -= sizes[cluster]
        block_of[cluster] = chosen
    return block_of
