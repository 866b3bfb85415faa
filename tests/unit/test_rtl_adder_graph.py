"""Adder graphs: exact products, exact intervals."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from bitsmith.hls.backends.rtl.unrolled import adder_graph
from bitsmith.hls.backends.rtl.unrolled.adder_graph import AdderGraph, signed_digits, solve
from bitsmith.models.ir import ToolError


def run(graph: AdderGraph, x: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Outputs (n, outputs) and the values of all nodes for inputs (n, inputs)."""
    values = list(x.T)
    for node in graph.nodes:
        right = values[node.b] << node.b_shift
        values.append((values[node.a] << node.a_shift) + (-right if node.sub else right))
    outs = [
        np.zeros(len(x), np.int64) if o.value is None else (values[o.value] << o.shift) * (-1 if o.negate else 1)
        for o in graph.outputs
    ]
    return np.stack(outs, axis=1), values[graph.inputs :]


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16, 23, 24, 30])
@pytest.mark.parametrize("zeros", [0.0, 0.6, 0.95])
def test_product_and_intervals_are_exact(bits: int, zeros: float) -> None:
    rng = np.random.default_rng([bits, int(100 * zeros)])
    for _ in range(6):
        n, m = rng.integers(1, 14, 2)
        weight = rng.integers(-(1 << bits), (1 << bits) + 1, (n, m)) * (rng.random((n, m)) >= zeros)
        lo, hi = rng.integers(-20, 1, n), rng.integers(0, 20, n)
        graph = solve(weight, lo, hi)
        x = rng.integers(lo, hi + 1, (50, n))
        outputs, _ = run(graph, x)
        assert (outputs == x @ weight).all()


def test_intervals_of_nodes_are_reached() -> None:
    rng = np.random.default_rng(3)
    weight = rng.integers(-7, 8, (4, 5))
    lo, hi = np.array([-2, 0, -1, 0]), np.array([1, 3, 1, 2])
    graph = solve(weight, lo, hi)
    corners = np.stack(np.meshgrid(*zip(lo, hi, strict=True), indexing="ij"), axis=-1).reshape(-1, 4)
    _, values = run(graph, corners)
    assert graph.nodes
    for node, value in zip(graph.nodes, values, strict=True):
        assert (node.lo, node.hi) == (value.min(), value.max())


def test_zero_weights_and_equal_columns_cost_nothing() -> None:
    lo, hi = np.zeros(3, int), np.full(3, 15)
    assert solve(np.zeros((3, 2), int), lo, hi).nodes == ()
    once = solve(np.array([[3], [0], [5]]), lo, hi)
    twice = solve(np.array([[3, 3, -6], [0, 0, 0], [5, 5, -10]]), lo, hi)
    assert len(twice.nodes) == len(once.nodes)


def test_large_matrix_is_solved_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adder_graph, "BLOCK_DIGITS", 200)
    rng = np.random.default_rng(0)
    weight = rng.integers(-7, 8, (60, 9))
    assert signed_digits(weight) > 400
    lo, hi = np.zeros(60, int), np.full(60, 14)
    graph = solve(weight, lo, hi)
    x = rng.integers(0, 15, (20, 60))
    assert (run(graph, x)[0] == x @ weight).all()
    assert len(graph.nodes) < signed_digits(weight) - 9  # something was shared


def test_constant_inputs() -> None:
    lo = hi = np.array([-6, -6, 0])
    graph = solve(np.array([[1, 2], [-1, 1], [3, 4]]), lo, hi)
    assert (run(graph, lo[None])[0] == lo @ np.array([[1, 2], [-1, 1], [3, 4]])).all()


@pytest.mark.parametrize(("value", "digits"), [(0, 0), (1, 1), (-8, 1), (7, 2), (5, 2), (-3, 2), (0b1011011, 4)])
def test_signed_digits(value: int, digits: int) -> None:
    assert signed_digits(np.array([[value]])) == digits


def test_missing_solver_names_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "da4ml.cmvm", None)
    with pytest.raises(ToolError, match=r"pip install 'bitsmith\[rtl\]'"):
        solve(np.array([[12345]]), np.array([-77]), np.array([91]))
