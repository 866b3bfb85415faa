"""Clock, time, power and energy: models with wide bounds, whose coefficients stand in the family's file."""

from __future__ import annotations

from dataclasses import dataclass

from bitsmith.hls.boards import Family
from bitsmith.hls.config import Device
from bitsmith.hls.results import Figure

DSP_AS_LUTS = 50
"""LUTs that toggle like one DSP block: a coarse equivalent, for the power model only."""


def scaled(value: float, factor: Figure) -> Figure:
    """``value`` times an uncertain ``factor``."""
    return Figure(value * factor.value, value * factor.low, value * factor.high)


def reached_clock(promised_mhz: float, family: Family) -> Figure:
    """Fmax of a design whose plan promises ``promised_mhz``, below the family's own limit."""
    guess = scaled(promised_mhz, family.fmax_factor)
    return Figure(*(min(f, family.max_mhz) for f in (guess.value, guess.low, guess.high)))


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


def power_mw(lut: Figure, dsp: Figure, clock_mhz: Figure, device: Device, family: Family) -> Figure:
    """Static power of the whole device plus dynamic power per LUT and MHz under full load.  A model, not measured."""

    def model(n_lut: float, n_dsp: float, mhz: float, static_uw: float, dynamic_uw: float) -> float:
        return (device.lut * static_uw + (n_lut + DSP_AS_LUTS * n_dsp) * mhz * dynamic_uw) / 1e3

    static, dynamic = family.static_uw_per_lut, family.dynamic_uw_per_mhz_lut
    return Figure(
        model(lut.value, dsp.value, clock_mhz.value, static.value, dynamic.value),
        model(lut.low, dsp.low, clock_mhz.low, static.low, dynamic.low),
        model(lut.high, dsp.high, clock_mhz.high, static.high, dynamic.high),
    )


def static_mw(device: Device, family: Family) -> Figure:
    """What a configured device draws while nothing moves.  A model, not measured."""
    return scaled(device.lut / 1e3, family.static_uw_per_lut)


def energy_uj(power: Figure, throughput_per_s: Figure) -> Figure:
    """Energy per inference under full load: power over throughput, bounds taken as independent."""
    return Figure(
        power.value * 1e3 / throughput_per_s.value,
        power.low * 1e3 / throughput_per_s.high,
        power.high * 1e3 / throughput_per_s.low,
    )
