"""Multiplication by a constant matrix as a graph of shifted additions.

The only file that knows the solver, da4ml (LGPL-3, used as a library: no line
of its Verilog goes into a project).  Why da4ml and not its successor alkaid:
``docs/adder-graphs.md``, measured by ``scripts/bench_adder_graphs.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from bitsmith.hls.tools.run import ToolStatus
from bitsmith.models.ir.errors import ToolError
from bitsmith.models.ir.types import IntArray

INSTALL = "pip install 'bitsmith[rtl]'"
PART_BITS = 22
"""The solver takes its matrix as float32; from 2**23 on it was seen to lose the lowest bit."""

SEARCH_DIGITS = 6_000
"""Up to this many signed digits all decompositions are tried; beyond, the solver's first choice is taken."""

EXTRA_DEPTH = 2
"""Levels of adders allowed beyond the fewest: no area was lost by it, and dense matrices take far fewer stages."""

BLOCK_DIGITS = 10_000
"""Beyond this many signed digits the rows are solved in blocks and the results added: solving takes time with
about the square (784x64 at 4 bits, 50 % zeros: 218 s in one, 86 s in four blocks, for 14 % more adders)."""

Stage = tuple[Sequence[int], Sequence["SolverOp"], Sequence[int], Sequence[int], Sequence[bool]]
"""(input shifts, ops, output indices, output shifts, output negations) of one solver stage."""

Engine = Callable[[IntArray, IntArray, IntArray], list[Stage]]


@dataclass(frozen=True)
class SolverOp:
    """One op of the solver: the input ``a`` if ``b`` is None, else ``a +- b * 2**shift``."""

    a: int
    b: int | None
    shift: int
    sub: bool


@dataclass(frozen=True)
class AdderNode:
    """``(a << a_shift) + (b << b_shift)``, or minus if ``sub``; exact interval ``lo..hi``."""

    a: int
    a_shift: int
    b: int
    b_shift: int
    sub: bool
    lo: int
    hi: int


@dataclass(frozen=True)
class Output:
    """``value << shift``, negated if ``negate``; zero if ``value`` is None."""

    value: int | None
    shift: int = 0
    negate: bool = False


@dataclass(frozen=True)
class AdderGraph:
    """``inputs`` numbers in, values ``0..inputs-1``; node ``k`` makes the value ``inputs + k``."""

    inputs: int
    nodes: tuple[AdderNode, ...]
    outputs: tuple[Output, ...]

    def matrix(self) -> IntArray:
        """The matrix (inputs, outputs) that the graph multiplies by."""
        forms = _forms(self)
        columns = np.zeros((self.inputs, len(self.outputs)), np.int64)
        for o, out in enumerate(self.outputs):
            if out.value is not None:
                columns[:, o] = (forms[out.value] << out.shift) * (-1 if out.negate else 1)
        return columns


def solve(weight: IntArray, lo: IntArray, hi: IntArray) -> AdderGraph:
    """Adder graph of ``y = x @ weight`` with common subexpressions shared.

    weight (n_in, n_out); lo and hi (n_in,): exact interval of every input.
    The graph is checked to multiply by ``weight`` exactly.  ToolError if the
    solver is not installed.
    """
    weight = np.ascontiguousarray(weight, np.int64)
    lo, hi = (np.ascontiguousarray(v, np.int64) for v in (lo, hi))
    return _solve_cached(weight.tobytes(), weight.shape, lo.tobytes(), hi.tobytes())


@lru_cache(maxsize=512)
def _solve_cached(weight: bytes, shape: tuple[int, int], lo: bytes, hi: bytes) -> AdderGraph:
    matrix = np.frombuffer(weight, np.int64).reshape(shape)
    return solve_with(solve_da4ml, matrix, np.frombuffer(lo, np.int64), np.frombuffer(hi, np.int64))


def solve_with(engine: Engine, weight: IntArray, lo: IntArray, hi: IntArray) -> AdderGraph:
    """:func:`solve` with a given solver, uncached; for the benchmark."""
    builder = _Builder(weight.shape[0])
    totals = [_Value(None, 1, 0)] * weight.shape[1]
    for rows in _row_blocks(weight):
        columns = np.flatnonzero(weight[rows].any(axis=0))
        parts = _split(weight[np.ix_(rows, columns)])
        reach = np.where(lo == hi, lo + 1, hi)[rows]  # of constants the solver would drop sums that it takes for zero
        stages = engine(np.concatenate([part for part, _ in parts], axis=1), lo[rows], reach)
        values = builder.run(stages, [_Value(int(r), 1, 0) for r in rows])
        for p, (_, shift) in enumerate(parts):
            for column, value in zip(columns, values[p * len(columns) :], strict=False):
                totals[column] = builder.add(totals[column], value, shift, sub=False)
    graph = _finish(weight.shape[0], builder.nodes, [builder.output(t) for t in totals], lo, hi)
    assert (graph.matrix() == weight).all(), "the adder graph does not multiply by its matrix"
    return graph


def _row_blocks(weight: IntArray) -> list[IntArray]:
    """Rows that are not zero, in blocks that the solver takes in bearable time."""
    rows = np.flatnonzero(weight.any(axis=1))
    count = -(-signed_digits(weight) // BLOCK_DIGITS)
    return [block for block in np.array_split(rows, count) if len(block)] if count else []


def _split(weight: IntArray) -> list[tuple[IntArray, int]]:
    """``weight`` as the sum of all ``part << shift``, every part small enough for the solver's float32."""
    limit = 1 << PART_BITS
    if np.abs(weight).max() < limit:
        return [(weight, 0)]
    low = (weight + limit // 2) % limit - limit // 2
    return [(low, 0), *((part, shift + PART_BITS) for part, shift in _split((weight - low) >> PART_BITS))]


def status() -> ToolStatus:
    """Whether the solver is installed, for ``bitsmith doctor``; it is not imported for that."""
    try:
        return ToolStatus("da4ml", True, version("da4ml"), INSTALL)
    except PackageNotFoundError:
        return ToolStatus("da4ml", False, "", INSTALL)


def signed_digits(weight: IntArray) -> int:
    """Non-zero digits of all weights in canonical signed-digit form: the additions without any sharing."""
    magnitude = np.abs(weight)
    return int(np.bitwise_count((magnitude ^ (3 * magnitude)).astype(np.uint64)).sum())


def solve_da4ml(weight: IntArray, lo: IntArray, hi: IntArray) -> list[Stage]:
    """One run of da4ml's solver on a matrix without empty rows or columns."""
    try:
        from da4ml.cmvm import solve as cmvm
    except ImportError as error:
        raise ToolError(f"da4ml is missing; install it with: {INSTALL}") from error
    intervals = [(float(a), float(b), 1.0) for a, b in zip(lo, hi, strict=True)]
    search = signed_digits(weight) <= SEARCH_DIGITS
    found = cmvm(weight.astype(np.float32), qintervals=intervals, search_all_decompose_dc=search, hard_dc=EXTRA_DEPTH)
    return [stage_of(logic) for logic in found.solutions]


def stage_of(logic: Any) -> Stage:
    """One stage of da4ml's solution in our terms."""
    ops = []
    for op in logic.ops:
        assert op.opcode in (-1, 0, 1), f"da4ml used opcode {op.opcode}"
        ops.append(SolverOp(op.id0, None if op.opcode == -1 else op.id1, op.data, op.opcode == 1))
    return logic.inp_shifts, ops, logic.out_idxs, logic.out_shifts, logic.out_negs


@dataclass(frozen=True)
class _Value:
    """``sign * 2**exponent * (value index)``; zero if ``index`` is None."""

    index: int | None
    sign: int
    exponent: int


_NodeKey = tuple[int, int, int, int, bool]


class _Builder:
    """Turns the solver's signed, scaled values into plain nodes; equal nodes are made once."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.nodes: list[_NodeKey] = []
        self.known: dict[_NodeKey, int] = {}

    def add(self, a: _Value, b: _Value, shift: int, sub: bool) -> _Value:
        """``a +- b * 2**shift``; a minus moves to where it costs nothing."""
        b = _Value(b.index, -b.sign if sub else b.sign, b.exponent + shift)
        if a.index is None or b.index is None:
            return b if a.index is None else a
        if (a.sign, a.index, a.exponent) > (b.sign, b.index, b.exponent):
            a, b = b, a
        if a.sign != b.sign:
            a, b = b, a  # the positive one first
        low = min(a.exponent, b.exponent)
        assert a.index is not None and b.index is not None
        key = (a.index, a.exponent - low, b.index, b.exponent - low, a.sign != b.sign)
        if key not in self.known:
            self.known[key] = self.inputs + len(self.nodes)
            self.nodes.append(key)
        return _Value(self.known[key], a.sign if a.sign == b.sign else 1, low)

    def run(self, stages: list[Stage], values: list[_Value]) -> list[_Value]:
        """Feed ``values`` through the solver's stages."""
        for in_shifts, ops, out_indices, out_shifts, out_negs in stages:
            made: list[_Value] = []
            for op in ops:
                if op.b is None:
                    v = values[op.a]
                    made.append(_Value(v.index, v.sign, v.exponent + in_shifts[op.a]))
                else:
                    made.append(self.add(made[op.a], made[op.b], op.shift, op.sub))
            values = []
            for index, shift, neg in zip(out_indices, out_shifts, out_negs, strict=True):
                v = made[index] if index >= 0 else _Value(None, 1, 0)
                values.append(_Value(v.index, -v.sign if neg else v.sign, v.exponent + shift))
        return values

    def output(self, v: _Value) -> Output:
        """The value as an output; solver and matrix are in integers, so no fraction is left."""
        assert v.exponent >= 0, "the solver left a fraction"
        return Output(v.index, v.exponent, v.sign < 0)


def _forms_of(inputs: int, nodes: Sequence[_NodeKey]) -> IntArray:
    """Coefficients (values, inputs) of every value as a linear form of the inputs."""
    forms = np.zeros((inputs + len(nodes), inputs), np.int64)
    forms[:inputs] = np.eye(inputs, dtype=np.int64)
    for k, (a, a_shift, b, b_shift, sub) in enumerate(nodes, inputs):
        right = forms[b] << b_shift
        forms[k] = (forms[a] << a_shift) + (-right if sub else right)
    return forms


def _forms(graph: AdderGraph) -> IntArray:
    return _forms_of(graph.inputs, [(n.a, n.a_shift, n.b, n.b_shift, n.sub) for n in graph.nodes])


def _finish(inputs: int, nodes: list[_NodeKey], outputs: list[Output], lo: IntArray, hi: IntArray) -> AdderGraph:
    """Drop what no output needs, negate where it is free, and attach the exact intervals."""
    uses = [0] * (inputs + len(nodes))
    for out in outputs:
        if out.value is not None:
            uses[out.value] += 1
    for k in reversed(range(len(nodes))):
        if uses[inputs + k]:
            uses[nodes[k][0]] += 1
            uses[nodes[k][2]] += 1
    for o, out in enumerate(outputs):  # -(a - b) is b - a
        if out.negate and out.value is not None and out.value >= inputs and uses[out.value] == 1:
            a, a_shift, b, b_shift, sub = nodes[out.value - inputs]
            if sub:
                nodes[out.value - inputs] = (b, b_shift, a, a_shift, True)
                outputs[o] = Output(out.value, out.shift, False)
    forms = _forms_of(inputs, nodes)
    positive, negative = np.maximum(forms, 0), np.minimum(forms, 0)
    low, high = positive @ lo + negative @ hi, positive @ hi + negative @ lo
    place = {i: i for i in range(inputs)}
    kept: list[AdderNode] = []
    for k, (a, a_shift, b, b_shift, sub) in enumerate(nodes, inputs):
        if uses[k]:
            place[k] = inputs + len(kept)
            kept.append(AdderNode(place[a], a_shift, place[b], b_shift, sub, int(low[k]), int(high[k])))
    moved = [o if o.value is None else Output(place[o.value], o.shift, o.negate) for o in outputs]
    return AdderGraph(inputs, tuple(kept), tuple(moved))
