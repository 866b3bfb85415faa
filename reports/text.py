"""Numbers as people read them; the same in the terminal and on the page."""

from __future__ import annotations

import math

from bitsmith.hls.results import Figure

_SI = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))
_MINUS = "\u2212"


def number(value: float | None, digits: int = 3) -> str:
    """At least ``digits`` significant digits, thousands separated, no exponent; a dash for None."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "∞" if value > 0 else f"{_MINUS}∞" if value < 0 else "–"
    if value == 0:
        return "0"
    exponent = int(
        f"{value:.{digits - 1}e}".split("e")[1]
    )  # of the rounded value: 9.996 has two digits before the point
    decimals = max(0, digits - 1 - exponent)
    text = f"{abs(value):,.{decimals}f}"
    if abs(value - round(value)) < 1e-9 * abs(value):  # whole but for the last bits of float64
        text = f"{abs(value):,.0f}"
    return f"{_MINUS if value < 0 else ''}{text}"


def percent(share: float | None, decimals: int = 2) -> str:
    """A share of one as percent; a dash for None."""
    return "–" if share is None else f"{100 * share:.{decimals}f} %"


def with_unit(value: float, unit: str) -> str:
    """``value`` with an SI prefix, three significant digits: 4.2e-7 s is ``420 ns``."""
    if value == 0 or not math.isfinite(value):
        return f"{number(value)} {unit}".rstrip()
    size, prefix = next((s for s in _SI if abs(value) >= s[0] * 0.9995), _SI[-1])
    return f"{number(value / size)} {prefix}{unit}".rstrip()


def bounds(figure: Figure) -> str:
    """The bounds of a figure, or nothing where it is exact."""
    return "" if figure.low == figure.high else f"{number(figure.low)} to {number(figure.high)}"


def shape(sizes: tuple[int, ...]) -> str:
    """A shape as ``28×28×1``."""
    return "×".join(map(str, sizes))


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 0.1:
        return "< 0.1 s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
