"""Split conformal bounds: ranks by hand, coverage on data drawn here."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitsmith.hls.estimate.conformal import COVERAGE, Band, beyond_extremes, fit_band, fit_band_of_groups
from bitsmith.hls.results import Figure


def lognormal(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Truths and estimates that are off by a factor, more often downwards."""
    value = rng.uniform(50, 5000, n)
    return value * np.exp(rng.normal(0.03, 0.2, n) - rng.exponential(0.1, n)), value


def test_bounds_by_hand() -> None:
    band = Band(offset=10.0, down=0.5, up=2.0, n=40)
    # (90 + 10) * 0.5 - 10 and (90 + 10) * 2 - 10
    assert band.around(90.0) == Figure(90.0, 40.0, 190.0)
    # (5 + 10) * 0.5 - 10 is below zero; of nothing up to 10 * 2 - 10 may turn up
    assert band.around(5.0) == Figure(5.0, 0.0, 20.0)
    assert band.around(0.0) == Figure(0.0, 0.0, 10.0)
    low, high = band.bounds([90.0, 5.0, 0.0])
    assert (low.tolist(), high.tolist()) == ([40.0, 0.0, 0.0], [190.0, 20.0, 10.0])


def test_without_an_offset_bounds_are_ratios() -> None:
    assert Band(0.0, 0.8, 1.25, 40).around(200.0) == Figure(200.0, 160.0, 250.0)
    assert Band(0.0, 0.8, 1.25, 40).around(0.0) == Figure.exact(0.0)


def test_widened_is_a_power_of_the_ratio() -> None:
    band = Band(10.0, 0.5, 2.0, 40)
    assert band.widened(1.0) == band
    assert band.widened(2.0) == Band(10.0, 0.25, 4.0, 40)  # twice as far on a logarithmic scale
    assert band.widened(3.0) == Band(10.0, 0.125, 8.0, 40)


@settings(deadline=None, derandomize=True)
@given(
    value=st.floats(0, 1e6),
    offset=st.floats(0, 20),
    down=st.floats(0.01, 1.0),
    up=st.floats(1.0, 50.0),
    factor=st.floats(1.0, 4.0),
)
def test_the_value_lies_within_its_bounds(value: float, offset: float, down: float, up: float, factor: float) -> None:
    band = Band(offset, down, up, 40)
    figure, wider = band.around(value), band.widened(factor).around(value)
    assert 0.0 <= figure.low <= figure.value == value <= figure.high
    slack = 1e-9 * (value + offset)  # of floating point, where the factor is 1
    assert wider.low <= figure.low + slack and wider.high >= figure.high - slack


def test_ranks_by_hand() -> None:
    # 19 residuals: of 20 gaps between them, 5 % on either side are the outermost ones: (19 + 1) * 0.05 = rank 1,
    # (19 + 1) * 0.95 = rank 19
    truth = 100.0 * 1.1 ** np.arange(-9, 10)
    band = fit_band(truth, np.full(19, 100.0), 0.0)
    assert (band.down, band.up) == (pytest.approx(1.1**-9), pytest.approx(1.1**9))
    # 40: 41 * 0.05 = 2.05 and 41 * 0.95 = 38.95, outwards to whole ranks 2 and 39: one on either side is left out
    truth = 100.0 * 1.1 ** np.arange(1, 41)
    band = fit_band(truth, np.full(40, 100.0 * 1.1**20), 0.0)
    assert (band.down, band.up, band.n) == (pytest.approx(1.1**-18), pytest.approx(1.1**19), 40)
    # half of 39: 40 * 0.25 = rank 10, 40 * 0.75 = rank 30, nine on either side left out
    band = fit_band(100.0 * 1.1 ** np.arange(-19, 20), np.full(39, 100.0), 0.0, coverage=0.5)
    assert (band.down, band.up) == (pytest.approx(1.1**-10), pytest.approx(1.1**10))


def test_ranks_that_are_whole_numbers() -> None:
    # 39 residuals: 40 * 0.05 = rank 2 and 40 * 0.95 = rank 38
    band = fit_band(100.0 * 1.1 ** np.arange(-19, 20), np.full(39, 100.0), 0.0)
    assert (band.down, band.up) == (pytest.approx(1.1**-18), pytest.approx(1.1**18))


def test_order_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    truth, value = lognormal(rng, 60)
    shuffled = rng.permutation(60)
    assert fit_band(truth, value, 10.0) == fit_band(truth[shuffled], value[shuffled], 10.0)


def test_few_residuals_give_the_most_extreme_ones() -> None:
    band = fit_band([80.0, 100.0, 150.0], [100.0, 100.0, 100.0], 0.0)
    assert (band.down, band.up, band.n) == (pytest.approx(0.8), pytest.approx(1.5), 3)
    one = fit_band([120.0], [100.0], 0.0)
    assert (one.down, one.up) == (1.0, pytest.approx(1.2))  # the estimate itself is always within


def test_extremes_of_few_are_left_behind() -> None:
    # normal quantiles: 95 % lie below 1.645; the extremes of 12 leave 1 / 13 on either side, beyond 1.426
    assert beyond_extremes(12) == pytest.approx(1.645 / 1.426, rel=1e-3)
    assert beyond_extremes(19) == beyond_extremes(400) == beyond_extremes(1) == 1.0
    assert beyond_extremes(3) > beyond_extremes(4) > beyond_extremes(18) > 1.0


def test_estimates_off_on_one_side_keep_their_value_within() -> None:
    high = fit_band(np.full(40, 50.0), np.full(40, 100.0), 0.0)
    assert (high.down, high.up) == (pytest.approx(0.5), 1.0)
    low = fit_band(np.full(40, 200.0), np.full(40, 100.0), 0.0)
    assert (low.down, low.up) == (1.0, pytest.approx(2.0))


def test_the_offset_lets_a_few_cells_stand_beside_none() -> None:
    # log((4 + 0.5) / (0 + 0.5)) = log 9: finite, and around an estimate of none it gives back the truth of 4
    band = fit_band([4.0], [0.0], 0.5)
    assert band.up == pytest.approx(9.0)
    assert band.around(0.0).high == pytest.approx(4.0)
    # for large designs the same residual is next to nothing: log((10,004.5) / (10,000.5))
    assert fit_band([10004.0], [10000.0], 0.5).up == pytest.approx(math.exp(math.log(10004.5 / 10000.5)))


@pytest.mark.parametrize(("offset", "n"), [(0.0, 200), (10.0, 200), (10.0, 60)])
def test_coverage_of_unseen_data_is_near_what_was_asked(offset: float, n: int) -> None:
    rng = np.random.default_rng(20261129)
    hits = []
    for _ in range(200):
        band = fit_band(*lognormal(rng, n), offset)
        truth, value = lognormal(rng, 200)
        low, high = band.bounds(value)
        hits.append(np.mean((low <= truth) & (truth <= high)))
    # Conformal prediction promises at least the coverage, and at most 2 / (n + 1) more; the standard error over 200
    # draws, each with a spread of sqrt(0.9 * 0.1 / n) at most 0.04, is below 0.003.
    assert COVERAGE - 0.01 <= np.mean(hits) <= COVERAGE + 2 / (n + 1) + 0.01


def test_less_coverage_asked_is_less_coverage_found() -> None:
    rng = np.random.default_rng(11)
    truth, value = lognormal(rng, 400)
    fresh, guess = lognormal(rng, 4000)
    for asked in (0.5, 0.8, 0.9):
        low, high = fit_band(truth, value, 0.0, asked).bounds(guess)
        assert abs(float(np.mean((low <= fresh) & (fresh <= high))) - asked) < 0.05, asked


def test_one_residual_per_group() -> None:
    # nine groups, estimates of 100 and truths of 100 * e**r; the worst row of each: 1 to 9 tenths, of either sign
    worst = np.array([0.1, -0.2, 0.3, -0.4, 0.5, -0.6, 0.7, -0.8, 0.9])
    ratio = np.concatenate([worst, worst * -0.5, worst * 0.1])
    groups = [f"g{i % 9}" for i in range(27)]
    band = fit_band_of_groups(100.0 * np.exp(ratio), np.full(27, 100.0), groups, 0.0)
    # of 9 scores, the (9 + 1) * 0.9 = 9th: as wide up as down, nothing to move out
    assert band.up == pytest.approx(math.exp(0.9)) and band.down == pytest.approx(math.exp(-0.9)) and band.n == 27
    # half of the rows do not count more than one in each group
    again = fit_band_of_groups(100.0 * np.exp(worst), np.full(9, 100.0), groups[:9], 0.0)
    assert (again.down, again.up) == pytest.approx((band.down, band.up))


def test_few_groups_are_moved_out_and_sides_may_be_apart() -> None:
    ratio = np.array([0.5, -0.1, 0.2, -3.0])
    truth, value = 100.0 * np.exp(ratio), np.full(4, 100.0)
    # the worst of 4 sizes covers 4 in 5, as the extremes of 9 residuals do
    band = fit_band_of_groups(truth, value, "abcd", 0.0)
    assert band.up == pytest.approx(math.exp(3.0 * beyond_extremes(9)))
    # apart, what is missing altogether in one group does not widen the other side; extremes of 4 groups
    sides = fit_band_of_groups(truth, value, "abcd", 0.0, apart=True)
    assert sides.up == pytest.approx(math.exp(0.5 * beyond_extremes(4)))
    assert sides.down == pytest.approx(math.exp(-3.0 * beyond_extremes(4)))


def test_groups_cover_a_new_group(rng: np.random.Generator) -> None:
    """Groups whose rows err alike: all rows of a new one are within the band of eleven in nine of ten draws or more."""
    held = 0
    for _ in range(400):
        shift = np.repeat(rng.normal(0, 0.5, 12), 3) + rng.normal(0, 0.1, 36)
        groups = [f"g{i // 3}" for i in range(33)]
        band = fit_band_of_groups(np.exp(shift[:33]), np.ones(33), groups, 0.0)
        held += bool((np.exp(shift[33:]) <= band.up).all() and (np.exp(shift[33:]) >= band.down).all())
    assert held / 400 > 0.88  # 0.917 in expectation, the worst of 11; three standard deviations of 400 draws below
