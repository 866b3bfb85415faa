from __future__ import annotations

import pytest

from bitsmith.hls.estimate.duty import duty
from bitsmith.hls.results import Figure
from bitsmith.models.ir import InputError


def test_mean_power_by_hand():
    # 10 inferences a second at 100 per second: a tenth of the time at 50 mW, the rest at 1 mW
    found = duty(Figure.exact(50.0), Figure.exact(1.0), Figure.exact(100.0), 10.0, battery_mwh=590.0)
    assert found.share == Figure.exact(0.1)
    assert found.mean_power_mw == Figure.exact(0.1 * 50.0 + 0.9 * 1.0)  # 5.9 mW
    assert found.energy_uj == Figure.exact(1e3 * (0.1 * 50.0 + 0.9 * 1.0) / 10.0)  # 590 uJ per inference
    assert found.battery_days is not None
    assert found.battery_days.value == pytest.approx(590.0 / 5.9 / 24.0)  # 100 hours


def test_bounds_take_the_worst_of_each():
    found = duty(Figure(50, 40, 60), Figure(1, 0.5, 2), Figure(100, 80, 200), 10.0, 1000.0)
    assert found.share == Figure(0.1, 0.05, 0.125)
    # least work at the least powers; most work at the greatest
    assert found.mean_power_mw.low == 0.05 * 40 + 0.95 * 0.5
    assert found.mean_power_mw.high == 0.125 * 60 + 0.875 * 2
    assert found.energy_uj.low == 1e3 * found.mean_power_mw.low / 10.0
    days = found.battery_days
    assert days is not None and days.low == 1000.0 / found.mean_power_mw.high / 24.0
    assert days.high == 1000.0 / found.mean_power_mw.low / 24.0
    assert days.low < days.value < days.high


def test_resting_may_cost_more_than_working_at_the_bounds():
    """Bounds of an FPGA's static power may cross those of its active power; low stays below high."""
    found = duty(Figure(10, 5, 20), Figure(9, 4, 18), Figure(100, 50, 200), 50.0)
    assert found.mean_power_mw.low <= found.mean_power_mw.value <= found.mean_power_mw.high
    assert found.share == Figure(0.5, 0.25, 1.0)
    assert found.battery_days is None


def test_a_full_share_at_the_bound_is_not_more_than_all_of_the_time():
    assert duty(Figure.exact(1), Figure.exact(1), Figure(10, 5, 20), 10.0).share == Figure(1.0, 0.5, 1.0)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_is_positive(rate):
    with pytest.raises(InputError, match="a rate is a positive number"):
        duty(Figure.exact(1), Figure.exact(1), Figure.exact(10), rate)


def test_a_rate_beyond_the_throughput_is_refused():
    with pytest.raises(InputError, match=r"--rate 11: the design does 10 inferences per second at most \(5 to 20\)"):
        duty(Figure.exact(1), Figure.exact(1), Figure(10, 5, 20), 11.0)


@pytest.mark.parametrize("battery", [0.0, -3.0, float("nan")])
def test_a_battery_holds_something(battery):
    with pytest.raises(InputError, match="a battery holds a positive energy"):
        duty(Figure.exact(1), Figure.exact(1), Figure.exact(10), 1.0, battery)
