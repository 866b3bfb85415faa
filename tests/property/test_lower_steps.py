"""Step functions: bisection finds what a table finds, and every op written for them equals them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bitsmith.models.ir import Lut, NetBuilder, QuantType, Requant, Thresholds, execute
from bitsmith.models.ir.affine import fit_affine
from bitsmith.models.lower import steps

SEEDED = settings(max_examples=150, deadline=None, derandomize=True)
LO, HI = -300, 299


def evaluate(stairs: steps.Staircase) -> np.ndarray:
    """Every integer of LO..HI, all columns, through the op that ``emit`` writes."""
    b = NetBuilder("n")
    x = b.input("x", (len(stairs.lo),), QuantType(10, True), LO, HI)
    net = b.build(steps.emit(b, "y", x, stairs, 1.0))
    return execute(net, np.repeat(np.arange(LO, HI + 1)[:, None], len(stairs.lo), axis=1))


def tabulated(f: steps.Function, columns: int) -> steps.Staircase:
    return steps.staircase(f, np.full(columns, LO), np.full(columns, HI), monotone=False)


@SEEDED
@given(st.lists(st.tuples(st.integers(-400, 400), st.integers(-999, 999)), min_size=1, max_size=4), st.integers(0, 60))
def test_lines_become_one_multiplication(lines: list[tuple[int, int]], top: int) -> None:
    slope, offset = np.array(lines).T / np.array([[1024], [32]])  # exact in float64: a line there is
    f = lambda x: np.clip(np.floor(x * slope + offset), 0, top)  # noqa: E731
    stairs = tabulated(f, len(lines))
    grid = np.repeat(np.arange(LO, HI + 1)[:, None], len(lines), axis=1)
    assert (evaluate(stairs) == f(grid)).all()
    b = NetBuilder("n")
    x = b.input("x", (len(lines),), QuantType(10, True), LO, HI)
    op = b.ops[steps.emit(b, "y", x, stairs, 1.0)]
    most = max(len(p) for p in stairs.points)
    line = fit_affine(stairs.lo, stairs.hi, stairs.points, [row.astype(np.int64) for row in stairs.levels])
    assert line is not None
    cheaper = most > steps.FEW_STEPS and steps._adders(line) <= steps.COMPARATOR * most
    assert isinstance(op, Requant if cheaper else Thresholds)


@SEEDED
@given(st.data(), st.integers(1, 3), st.sampled_from(["rises", "falls", "bends"]))
def test_any_steps(data: st.DataObject, columns: int, kind: str) -> None:
    rows = []
    for _ in range(columns):
        jumps = data.draw(st.lists(st.tuples(st.integers(LO + 1, HI), st.integers(-9, 9)), max_size=12))
        change = np.zeros(HI - LO + 1, np.int64)
        for at, jump in jumps:
            change[at - LO] += jump if kind == "bends" else abs(jump) if kind == "rises" else -abs(jump)
        rows.append(np.cumsum(change))
    table = np.stack(rows, axis=1)
    f = lambda x: np.take_along_axis(table, x - LO, axis=0).astype(np.float64)  # noqa: E731
    stairs = tabulated(f, columns)
    assert (evaluate(stairs) == table).all()
    if kind != "bends":
        found = steps._bisect(f, np.full(columns, LO), np.full(columns, HI))
        for a, b, v, w in zip(found.points, stairs.points, found.levels, stairs.levels, strict=True):
            assert (a == b).all() and (v == w).all()


def test_uneven_levels_are_an_index_and_a_table() -> None:
    f = lambda x: np.select([x < 0, x < 7, x < 100], [-1000.0, 0.0, 3.0], 70000.0)  # noqa: E731
    b = NetBuilder("n")
    x = b.input("x", (1,), QuantType(10, True), LO, HI)
    op = b.ops[steps.emit(b, "y", x, tabulated(f, 1), 1.0)]
    assert isinstance(op, Lut) and op.table.tolist() == [-1000, 0, 3, 70000]
    assert (evaluate(tabulated(f, 1)) == f(np.arange(LO, HI + 1)[:, None])).all()
