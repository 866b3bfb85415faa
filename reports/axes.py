"""The figures of a sweep as axes of a chart: names, units, scales, ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from bitsmith.reports.text import number, percent, with_unit

ROOM = 0.05
"""Of an axis, free beyond its first and its last point."""
MOST_TICKS = 7


@dataclass(frozen=True)
class Kind:
    """How a figure is called and written."""

    title: str
    unit: str = ""  # "%" for a share of one; "" for a count
    size: float = 1.0  # of one, in the unit
    more_is_better: bool = False

    def text(self, value: float) -> str:
        """The value as people read it."""
        if self.unit == "%":
            return percent(value)
        return with_unit(value * self.size, self.unit) if self.unit else number(_whole(value))


KINDS = {
    "accuracy_test": Kind("Accuracy, test rows", "%", more_is_better=True),
    "accuracy_validation": Kind("Accuracy, validation rows", "%", more_is_better=True),
    "lut": Kind("LUT"),
    "ff": Kind("FF"),
    "dsp": Kind("DSP"),
    "bram": Kind("BRAM"),
    "latency_cycles": Kind("Latency, cycles"),
    "ii_cycles": Kind("Initiation interval, cycles"),
    "latency_ns": Kind("Latency", "s", 1e-9),
    "energy_uj": Kind("Energy per inference", "J", 1e-6),
    "power_mw": Kind("Power", "W", 1e-3),
    "params": Kind("Weights and biases"),
    "weights_kept": Kind("Weights and biases kept"),
    "fmax_mhz": Kind("Fmax", "Hz", 1e6, more_is_better=True),
}


def kind_of(name: str) -> Kind:
    """How ``name`` is written; one that is not known goes by its own name, as a count."""
    return KINDS.get("accuracy_validation" if name == "accuracy" else name, Kind(name))


@dataclass(frozen=True)
class Axis:
    """A scale from ``low`` to ``high``, logarithmic or not; ``ticks`` are values with their labels."""

    name: str
    kind: Kind
    low: float
    high: float
    log: bool
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float) -> float:
        """Where a value stands: 0 at the low end, 1 at the high one."""
        low, high, at = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return round((at - low) / (high - low), 4)


def axis(name: str, values: Iterable[float]) -> Axis:
    """The axis on which all ``values`` (at least one) have room: logarithmic for costs, unless one of them is 0."""
    kind, found = kind_of(name), list(values)
    log = kind.unit != "%" and min(found) > 0
    low, high = (math.log(v) if log else v for v in (min(found), max(found)))
    room = ROOM * (high - low) or (0.1 if log else 0.1 * abs(high) or 1.0)
    low, high = low - room, high + room
    if log:
        low, high = math.exp(low), math.exp(high)
    ticks = tuple((v, _label(kind, v)) for v in _ticks(low, high, log) if kind.unit != "%" or 0 <= v <= 1 + 1e-9)
    return Axis(name, kind, low, high, log, ticks)


def _ticks(low: float, high: float, log: bool) -> list[float]:
    """Round values in between; on a short logarithmic axis they are evenly spaced as on a plain one."""
    if log:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for digits in ((1, 2, 5), (1,)):
            found = [v for p in powers for d in digits if low <= (v := d * 10.0**p) <= high]
            if 3 <= len(found) <= MOST_TICKS:
                return found
        if len(found) > MOST_TICKS:
            return found[:: -(-len(found) // MOST_TICKS)]
    return steps(low, high, MOST_TICKS)


def steps(low: float, high: float, most: int) -> list[float]:
    """At most ``most`` round values from ``low`` to ``high``, evenly spaced by 1, 2 or 5 times a power of ten."""
    least = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(least))
    step = next(d * power for d in (1, 2, 5, 10) if d * power >= least * (1 - 1e-9))
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _label(kind: Kind, value: float) -> str:
    return f"{number(_whole(100 * value))} %" if kind.unit == "%" else kind.text(value)


def _whole(value: float) -> float:
    """Counts of an estimate are fractions; from a hundred on nobody wants to read them."""
    return round(value) if abs(value) >= 100 else round(value, 9)
