"""The errors of estimates, by hand."""

from __future__ import annotations

import math

import pytest

from bitsmith.hls.estimate.metrics import score


def test_perfect_estimates() -> None:
    s = score([10, 20, 30], [10, 20, 30], [9, 20, 30], [11, 20, 29])
    assert (s.n, s.r2, s.smape, s.median_ape, s.p90_ape) == (3, 1.0, 0.0, 0.0, 0.0)
    assert s.coverage90 == pytest.approx(2 / 3)  # the last truth lies above its high bound


def test_errors_by_hand() -> None:
    # truth 10, 20, 30, 40; errors 1, 2, 0, 8.  Mean 25, spread 225 + 25 + 25 + 225 = 500, squares 1 + 4 + 0 + 64 = 69
    s = score([10, 20, 30, 40], [11, 18, 30, 32], [10, 15, 31, 0], [12, 20, 33, 40])
    assert s.r2 == 1.0 - 69 / 500
    # absolute errors in percent 10, 10, 0, 20: median 10; the 90th percentile lies at 0.9 * 3 = 2.7 of 0, 10, 10, 20
    assert s.median_ape == 10.0
    assert s.p90_ape == pytest.approx(10 + 0.7 * 10)
    # 200 * (1/21 + 2/38 + 0/60 + 8/72) / 4, the epsilon of 1e-6 in each denominator aside
    assert s.smape == pytest.approx(200 * (1 / 21 + 2 / 38 + 8 / 72) / 4, rel=1e-6)
    assert s.coverage90 == 0.75  # bounds are met at their ends, too; 30 lies below 31


def test_the_worst_smape_is_200() -> None:
    # of nothing where there is something, and the other way round: |p - t| = |p| + |t|
    assert score([1000], [0], [0], [0]).smape == pytest.approx(200.0, rel=1e-8)
    assert score([0], [1000], [0], [0]).smape == pytest.approx(200.0, rel=1e-8)
    assert score([0, 1000], [1000, 0], [0, 0], [1, 1]).smape <= 200.0


def test_nothing_against_nothing_is_no_error() -> None:
    s = score([0, 0], [0, 0], [0, 0], [0, 0])
    assert (s.smape, s.median_ape, s.p90_ape, s.coverage90) == (0.0, 0.0, 0.0, 1.0)
    assert math.isnan(s.r2)  # equal truths explain nothing


def test_small_truths_do_not_blow_up_the_percentage() -> None:
    # below one cell the error counts as of one cell: |3 - 0| / 1 and |2 - 0.5| / 1
    assert score([0], [3], [0], [3]).median_ape == 300.0
    assert score([0.5], [2], [0], [3]).median_ape == 150.0


def test_r2_falls_below_zero_for_estimates_worse_than_the_mean() -> None:
    # truth 1, 3 about their mean 2: spread 2; estimates 3, 1: squares 4 + 4
    assert score([1, 3], [3, 1], [0, 0], [9, 9]).r2 == 1.0 - 8 / 2


def test_shapes_have_to_agree() -> None:
    for truth, value in (([], []), ([1, 2], [1]), ([[1]], [[1]])):
        with pytest.raises(AssertionError):
            score(truth, value, value, value)
