"""Switching activity: how often a bit of a design changes per clock cycle.

Measured in a simulation of the written RTL at full load (``hls/tools/activity.py``), or, before there
is any RTL, taken from designs of the same backend that were measured (``calibrations/activity.json``).
What the energies of a family are for are LUT outputs and flip-flops of the mapped netlist; the same
file says how their activity compares with that of the RTL.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from bitsmith.hls.estimate.conformal import Band
from bitsmith.hls.results import Figure

FILE = "calibrations/activity.json"
CLOSEST = {"rtl-unrolled": "rtl-unrolled", "rtl-folded": "rtl-folded", "hls4ml": "rtl-unrolled", "finn": "rtl-folded"}
"""The backend of ours that was measured, for each that has a price."""

OTHER_NETS = 2.0
"""Bounds of a default are so many times as far away, on a logarithmic scale, as those among the measured designs:
these are generated networks, and trained ones on other data may be outside."""

FOREIGN_BACKEND = 3.0
"""The same for a backend that was not measured itself."""

HIGHEST = 2.0
"""No settled signal changes more than once a cycle, but a bound may lie beyond what the mean allows: it is cut here."""


@dataclass(frozen=True)
class Activity:
    """What a simulation saw: changes per bit and cycle, as means over the bits of a kind."""

    nets: float  # of all that the RTL makes: registers and outputs of logic
    registers: float  # of the registers alone
    net_bits: int
    register_bits: int
    cycles: int
    engine: str  # tool and version


@dataclass(frozen=True)
class Switching:
    """Changes per cycle of a LUT's output and of a flip-flop's, with bounds, and where they are from."""

    lut: Figure
    ff: Figure
    source: str


@cache
def _calibration() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(resources.files(__package__ or __name__).joinpath(FILE).read_text())
    return found


def _bounded(value: float, band: dict[str, float], widening: float = 1.0) -> Figure:
    around = Band(0.0, band["down"], band["up"], int(band["n"])).widened(widening).around(value)
    return Figure(value, around.low, min(around.high, HIGHEST))


def default_switching(backend: str) -> Switching:
    """Activity of ``backend`` before anything is simulated: the median of measured designs and their spread."""
    closest = CLOSEST[backend]
    measured = _calibration()["backends"][closest]
    widening = OTHER_NETS if closest == backend else FOREIGN_BACKEND
    lut, ff = (_bounded(measured[key]["median"], measured[key], widening) for key in ("lut", "ff"))
    told = f"default activity of {closest} ({measured['lut']['n']} designs)"
    return Switching(lut, ff, told if closest == backend else f"{told}, with wider bounds")


def measured_switching(activity: Activity, backend: str) -> Switching:
    """Activity of a design whose RTL was simulated: of the netlist as that of the RTL says, with the spread of that."""
    ratios = _calibration()["backends"][CLOSEST[backend]]
    lut = _bounded(activity.nets * ratios["lut_over_nets"]["median"], ratios["lut_over_nets"])
    ff = _bounded(activity.registers * ratios["ff_over_registers"]["median"], ratios["ff_over_registers"])
    told = f"activity of this design in {activity.engine}, {activity.cycles:,} cycles at full load"
    return Switching(lut, ff, told)
