"""Power and energy per inference: a model, from switching activity and coefficients of the family.

    dynamic = f * (lut_pj * glitches * changes of LUT outputs + ff_pj * changes of flip-flops
                   + ff_clock_pj * flip-flops + clock_pj + dsp_pj * DSP blocks + bram_pj * memory blocks)

with a MHz and a picojoule making a microwatt.  Coefficients with their sources: ``hls/boards/devices-*.toml``.
Within a product the logarithms of the uncertainties, which are independent, add in squares; sums add
bound by bound, since what makes one coefficient of a chip wrong may make all of them wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bitsmith.hls.boards import Family
from bitsmith.hls.boards.power import Power
from bitsmith.hls.config import Device
from bitsmith.hls.estimate.activity import Activity, Switching, default_switching, measured_switching
from bitsmith.hls.estimate.physics import Timing, scaled
from bitsmith.hls.results import Figure

GLITCHES = Figure(1.45, 1.0, 4.0)
"""Changes of LUT outputs over the settled ones that a simulation without delays sees.

Lamoureux, Lemieux, Wilton, "GlitchLess", IEEE TVLSI 16(11), 2008: removing 87 % of the glitches saves 17 %
of a power of which 62 % are dynamic, so glitches are 0.17 / 0.87 / 0.62 = 31 % of the dynamic power, and
1 / (1 - 0.31) = 1.45.  High, for long paths between two registers: the multiplier measured on UP5K (see
``devices-ice40.toml``) takes 0.60 pJ per settled change where counters take at most 0.217, so 2.8 or more.
"""


@dataclass(frozen=True)
class PowerEstimate:
    """Power at the design's clock under full load, energy per inference, both also in their parts."""

    static_mw: Figure
    dynamic_mw: Figure
    static_uj: Figure
    dynamic_uj: Figure
    source: str

    @property
    def power_mw(self) -> Figure:
        """Static and dynamic."""
        return self.static_mw + self.dynamic_mw

    @property
    def energy_uj(self) -> Figure:
        """Static and dynamic, per inference."""
        return self.static_uj + self.dynamic_uj


def product(*factors: Figure) -> Figure:
    """Of independent uncertain factors, none below zero; a factor that may be zero keeps the plain bounds."""
    value = math.prod(f.value for f in factors)
    if any(f.low <= 0.0 for f in factors):
        return Figure(value, math.prod(f.low for f in factors), math.prod(f.high for f in factors))
    down = math.sqrt(sum(math.log(f.value / f.low) ** 2 for f in factors))
    up = math.sqrt(sum(math.log(f.high / f.value) ** 2 for f in factors))
    return Figure(value, value * math.exp(-down), value * math.exp(up))


def static_mw(device: Device, family: Family) -> Figure:
    """What the device takes when nothing changes, in milliwatts: its own figure, else the family's per LUT."""
    power = family.power_of(device.name)
    return power.static_mw or scaled(device.lut / 1e3, power.static_uw_per_lut)


def cycle_pj(resources: Mapping[str, Figure], switching: Switching, power: Power) -> Figure:
    """Energy of one clock cycle; ``resources`` are the cells of the design: lut, ff, dsp, bram."""
    terms = (
        product(resources["lut"], power.lut_pj, switching.lut, GLITCHES),
        product(resources["ff"], power.ff_pj, switching.ff),
        product(resources["ff"], power.ff_clock_pj),
        product(resources["dsp"], power.dsp_pj),
        product(resources["bram"], power.bram_pj),
    )
    total = power.clock_pj
    for term in terms:
        total = total + term
    return total


def price_power(
    resources: Mapping[str, Figure],
    times: Timing,
    ii_cycles: Figure,
    backend: str,
    device: Device,
    family: Family,
    activity: Activity | None = None,
) -> PowerEstimate:
    """Power and energy of a design of ``backend``; with its own ``activity`` where its RTL was simulated.

    The energy of the cycles does not depend on the clock, that of the leakage does.
    """
    switching = measured_switching(activity, backend) if activity else default_switching(backend)
    static = static_mw(device, family)
    cycle = cycle_pj(resources, switching, family.power_of(device.name))
    clock, rate = times.clock_mhz, times.throughput_per_s
    return PowerEstimate(
        static_mw=static,
        dynamic_mw=Figure(*(pj * mhz / 1e3 for pj, mhz in _pairs(cycle, clock))),
        static_uj=Figure(static.value * 1e3 / rate.value, static.low * 1e3 / rate.high, static.high * 1e3 / rate.low),
        dynamic_uj=Figure(*(pj * ii / 1e6 for pj, ii in _pairs(cycle, ii_cycles))),
        source=f"model: {switching.source}, coefficients of {family.title}; {device.name} alone, without its board",
    )


def _pairs(a: Figure, b: Figure) -> tuple[tuple[float, float], ...]:
    return ((a.value, b.value), (a.low, b.low), (a.high, b.high))
