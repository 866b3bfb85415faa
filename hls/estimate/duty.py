"""A sensor node: what it draws on average, and how long a battery lasts."""

from __future__ import annotations

import math

from bitsmith.hls.results import Duty, Figure
from bitsmith.models.ir.errors import InputError

HOURS_PER_DAY = 24.0


def check_request(rate_per_s: float | None, battery_mwh: float | None) -> None:
    """InputError if the rate or the battery cannot be; to be called before any work."""
    if rate_per_s is not None and not (math.isfinite(rate_per_s) and rate_per_s > 0):
        raise InputError(f"--rate {rate_per_s:g}: a rate is a positive number of inferences per second")
    if battery_mwh is not None and not (math.isfinite(battery_mwh) and battery_mwh > 0):
        raise InputError(f"--battery-mwh {battery_mwh:g}: a battery holds a positive energy, in mWh")
    if battery_mwh is not None and rate_per_s is None:
        raise InputError("--battery-mwh needs --rate, inferences per second: a battery lasts as long as it is asked")


def duty(
    active_mw: Figure,
    rest_mw: Figure,
    throughput_per_s: Figure,
    rate_per_s: float,
    battery_mwh: float | None = None,
) -> Duty:
    """``rate_per_s`` inferences per second, the rest of the time at ``rest_mw``.

    ``rest_mw`` is the sleep power of a microcontroller, or the static power of
    an FPGA, which stays configured.  share = rate / throughput, mean power =
    share * active + (1 - share) * rest, energy = mean power / rate, days =
    battery / mean power / 24.  The battery is taken as ideal: neither ageing,
    self-discharge nor the losses of a regulator are in it; waking up is in
    neither power.  InputError if the rate is not positive or exceeds the
    throughput, or if the battery holds nothing.
    """
    check_request(rate_per_s, battery_mwh)
    if rate_per_s > throughput_per_s.value:
        raise InputError(
            f"--rate {rate_per_s:g}: the design does {throughput_per_s.value:,.4g} inferences per second at most "
            f"({throughput_per_s.low:,.4g} to {throughput_per_s.high:,.4g}); "
            "ask for fewer, or take a faster board"
        )
    share = Figure(
        *(min(1.0, rate_per_s / t) for t in (throughput_per_s.value, throughput_per_s.high, throughput_per_s.low))
    )
    mean = _mean(active_mw, rest_mw, share)
    energy = Figure(*(1e3 * p / rate_per_s for p in (mean.value, mean.low, mean.high)))
    return Duty(rate_per_s, mean, share, energy, None if battery_mwh is None else _days(battery_mwh, mean))


def _mean(active: Figure, rest: Figure, share: Figure) -> Figure:
    def mix(a: float, r: float, s: float) -> float:
        return s * a + (1.0 - s) * r

    # More work costs more only if working draws more than resting: both shares are looked at for either bound.
    low = min(mix(active.low, rest.low, s) for s in (share.low, share.high))
    high = max(mix(active.high, rest.high, s) for s in (share.low, share.high))
    return Figure(mix(active.value, rest.value, share.value), low, high)


def _days(battery_mwh: float, mean_mw: Figure) -> Figure:
    hours = [battery_mwh / p if p else math.inf for p in (mean_mw.value, mean_mw.high, mean_mw.low)]
    return Figure(*(h / HOURS_PER_DAY for h in hours))
