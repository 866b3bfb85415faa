"""Sizes of a matrix-vector unit, and the forms that its arithmetic can take."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

from bitsmith.hls.backends.divisors import divisors
from bitsmith.hls.backends.rtl.folded.multiply import Packing, choose_mult, packing, takes_multiplier
from bitsmith.hls.backends.rtl.folded.roms import in_block
from bitsmith.models.ir import Codebook, NofM, QuantType
from bitsmith.models.ir.ops import Conv, Dense, Op

KINDS = {"lut": 0, "sign": 1, "ternary": 2, "dsp": 3, "packed": 4}
"""Ways of multiplying -> KIND of bitsmith_mac."""


@dataclass(frozen=True)
class Work:
    """Sizes of the matrices: ``outputs`` sums of ``inputs`` products, in ``groups``, at ``positions`` places."""

    positions: int
    groups: int
    inputs: int  # per group, taps included
    outputs: int  # per group
    channels: int  # inputs that come side by side, per group: of one tap

    @property
    def products(self) -> int:
        """Products per frame."""
        return self.positions * self.groups * self.inputs * self.outputs


def work_of(op: Dense | Conv) -> Work:
    """What ``op`` computes per frame."""
    positions = math.prod(op.shape[:-1])
    n_in, n_out = op.weight.shape[-2:]
    if isinstance(op, Dense):
        return Work(positions, 1, n_in, n_out, n_in)
    return Work(positions, op.groups, math.prod(op.kernel) * n_in, n_out // op.groups, n_in)


def is_depthwise(op: Op) -> bool:
    """Whether every output channel reads the one input channel of its own number."""
    return isinstance(op, Conv) and op.groups == op.weight.shape[-1] and op.weight.shape[-2] == 1


def legal_folding(op: Dense | Conv, x: Op) -> list[tuple[int, int]]:
    """Every (pe, simd), ascending; for a depthwise convolution (lanes, 1).

    ``pe`` divides the outputs of a group, ``simd`` the inputs of a group that come side by side.
    """
    assert x.name == op.inputs[0], f"{x.name} is not the input of {op.name}"
    work = work_of(op)
    if is_depthwise(op):
        return [(lanes, 1) for lanes in divisors(work.groups)]
    return [(pe, simd) for pe in divisors(work.outputs) for simd in divisors(work.channels)]


def cycles(op: Dense | Conv, pe: int, simd: int) -> int:
    """Steps per frame: the least number of cycles between two frames."""
    work = work_of(op)
    if is_depthwise(op):
        return work.positions * (work.groups // pe) * work.inputs
    return work.products // (pe * simd)


@dataclass(frozen=True)
class Weights:
    """What the weights of an op are: integers of ``bits`` bits, or of few values (``kind`` sign or ternary)."""

    kind: str  # "integer" | "sign" | "ternary"
    bits: int
    signed: bool


@lru_cache(maxsize=256)
def weights_of(op: Dense | Conv) -> Weights:
    """The narrowest form of the weights; reads them once per op."""
    low, high = int(op.weight.min()), int(op.weight.max())
    if (low, high) == (-1, 1):
        return Weights("ternary", 2, True) if (op.weight == 0).any() else Weights("sign", 1, False)
    narrow = QuantType.for_range(low, high)
    return Weights("integer", narrow.bits, narrow.signed)


@dataclass(frozen=True)
class Form:
    """How a unit multiplies and where it keeps its weights: all that its parameters and its latency follow from."""

    mult: str  # a key of KINDS
    weights: Weights
    has_bias: bool
    packing: Packing | None = None
    index: int = 0  # bits of an index into the codebook; 0: none
    sparse: tuple[int, int] = (1, 1)  # of every so many inputs (second) so many (first) have a weight
    block: bool = False  # weights in block RAM
    register: bool = False  # a register behind the block RAM

    def products(self, simd: int) -> int:
        """Products of a lane and step."""
        n, m = self.sparse
        return simd // m * n

    def word(self, pe: int, simd: int) -> int:
        """Bits of a word of weights."""
        if self.packing:
            return pe // 2 * simd * (self.weights.bits + self.packing.upper_bits)
        return pe * self.products(simd) * self.field

    @property
    def field(self) -> int:
        """Bits of one weight in a word, its place included."""
        return (self.index or self.weights.bits) + (self.sparse[1] - 1).bit_length()

    def latency(self, read: int, a_bits: int, simd: int, one_step: bool) -> int:
        """Cycles from a step to its put; ``read`` from a step to its weights and its beat."""
        shorter = min(a_bits, self.weights.bits)
        product = {"lut": max(1, (shorter - 1).bit_length()), "packed": 2}.get(self.mult, 1)
        return read + product + (self.products(simd) - 1).bit_length() + (not one_step or self.has_bias)


def plain_form(op: Dense | Conv, x: Op, pe: int, simd: int, family: str, mult: str) -> Form:
    """The form that ``mult`` (auto, lut, dsp, packed) means for ``op``, its structure left aside.

    ``packed`` becomes ``dsp`` where two products on one multiplier are not exact, ``dsp`` becomes ``lut`` where
    synthesis would not give so small a product a multiplier anyway.
    """
    weights = weights_of(op)
    whole = weights if weights.kind == "integer" else Weights("integer", 2, True)  # as factors of a multiplier
    alone = "dsp" if takes_multiplier(x.type, whole.bits, whole.signed, family) else "lut"
    mult = choose_mult(x.type, weights.bits, family) if mult == "auto" else mult
    mult = alone if mult == "dsp" else mult
    pairs = None
    if mult == "packed":
        if pe % 2 == 0 and not is_depthwise(op):
            pairs = packing(x.type, weights.bits + (not weights.signed), simd, family)
        mult = "packed" if pairs else alone
    if weights.kind != "integer":
        mult = weights.kind if mult == "lut" else mult
        weights = weights if mult == weights.kind else whole
    if pairs and not weights.signed:
        weights = Weights("integer", weights.bits + 1, True)
    return Form(mult, weights, bool(op.bias.any()), pairs)


def structured_form(op: Dense | Conv, simd: int, plain: Form) -> Form | None:
    """``plain`` with the structure of ``op`` made use of; None where there is none that this folding can use."""
    structure = op.structure
    if plain.packing:
        return None
    if isinstance(structure, Codebook) and plain.weights.kind == "integer":
        index = max(1, (structure.values.size - 1).bit_length())
        return replace(plain, index=index) if index < plain.weights.bits else None
    if isinstance(structure, NofM) and not is_depthwise(op) and simd % structure.m == 0 and structure.n < structure.m:
        if plain.mult == "sign":
            return None
        return replace(plain, sparse=(structure.n, structure.m))
    return None


def words_of(op: Dense | Conv, pe: int, simd: int) -> int:
    """Words of weights."""
    work = work_of(op)
    return work.groups // pe * work.inputs if is_depthwise(op) else work.products // (work.positions * pe * simd)


def placed(form: Form, words: int, pe: int, simd: int, family: str, rom: str) -> Form:
    """``form`` with its weights where ``rom`` (auto, block, logic) says."""
    block = words > 1 and (rom == "block" or (rom == "auto" and in_block(words, form.word(pe, simd), family)))
    return replace(form, block=block, register=block and family != "ice40")
