"""Clock and time: models with wide bounds, whose coefficients stand in the family's file."""

from __future__ import annotations

from dataclasses import dataclass

from bitsmith.hls.boards import Family
from bitsmith.hls.results import Figure


def scaled(value: float, factor: Figure) -> Figure:
    """``value`` times an uncertain ``factor``."""
    return Figure(value * factor.value, value * factor.low, value * factor.high)


def reached_clock(promised_mhz: float, family: Family) -> Figure:
    """Fmax of a design whose plan promises ``promised_mhz``, below the family's own limit."""
    guess = scaled(promised_mhz, family.fmax_factor)
    return Figure(*(min(f, family.max_mhz) for f in (guess.value, guess.low, guess.high)))


def placed_clock(placed: Figure | None, promised_mhz: float, family: Family) -> Figure:
    """Fmax as calibrated on place and route, within the family's limit; without that, from what the plan promises."""
    if placed is None:
        return reached_clock(promised_mhz, family)
    return Figure(*(min(f, family.max_mhz) for f in (placed.value, placed.low, placed.high)))


@dataclass(frozen=True)
class Timing:
    """What the cycles mean in seconds at the clock that the design runs at."""

    clock_mhz: Figure
    latency_ns: Figure
    throughput_per_s: Figure


def timing(latency_cycles: Figure, ii_cycles: Figure, fmax_mhz: Figure, target_mhz: float) -> Timing:
    """Latency and throughput at the target clock, or at Fmax where that is lower."""
    clock = Figure(*(min(target_mhz, f) for f in (fmax_mhz.value, fmax_mhz.low, fmax_mhz.high)))
    return Timing(
        clock,
        latency_ns=Figure(
            latency_cycles.value * 1e3 / clock.value,
            latency_cycles.low * 1e3 / clock.high,
            latency_cycles.high * 1e3 / clock.low,
        ),
        throughput_per_s=Figure(
            clock.value * 1e6 / ii_cycles.value, clock.low * 1e6 / ii_cycles.high, clock.high * 1e6 / ii_cycles.low
        ),
    )
