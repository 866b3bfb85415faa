"""The clock of a board top: the oscillator itself, a PLL, or a divider made of flip-flops.

Formulas and limits: SB_PLL40 of Lattice iCE40 (FPGA-TN-02052, FPGA-DS-02008 and FPGA-DS-02029), EHXPLLL of Lattice
ECP5 (FPGA-TN-02200, FPGA-DS-02012), rPLL of Gowin (UG286, DS117 and DS226).  Frequencies in MHz.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bitsmith.models.ir.errors import InputError


@dataclass(frozen=True)
class Clock:
    """How the core clock is made.  ``parameters`` are those of the primitive, as SystemVerilog literals."""

    primitive: str  # "" where the oscillator is the clock
    mhz: float
    parameters: dict[str, str] = field(default_factory=dict)
    ratio: int = 1  # oscillator cycles per core cycle in simulation, where a PLL passes its input on


def ice40_mhz(osc: float, divr: int, divf: int, divq: int) -> float:
    """Output of SB_PLL40 with FEEDBACK_PATH SIMPLE."""
    return osc / (divr + 1) * (divf + 1) / (1 << divq)


def ecp5_mhz(osc: float, clki: int, clkfb: int, clkop: int, clkos: int) -> float:
    """CLKOS of EHXPLLL with CLKOP fed back; CLKOP itself where ``clkos`` equals ``clkop``."""
    return osc / clki * clkfb * clkop / clkos


def gowin_mhz(osc: float, idiv: int, fbdiv: int) -> float:
    """CLKOUT of rPLL."""
    return osc * (fbdiv + 1) / (idiv + 1)


def _ice40(osc: float) -> Iterator[Clock]:
    for divr in range(16):
        pfd = osc / (divr + 1)
        if not 10.0 <= pfd <= 133.0:
            continue
        # bandwidth of the loop filter, by the phase detector's frequency
        filter_range = next((r for r, top in enumerate((17.0, 26.0, 44.0, 66.0, 101.0), 1) if pfd < top), 6)
        for divf in range(128):
            if not 533.0 <= pfd * (divf + 1) <= 1066.0:
                continue
            for divq in range(1, 7):
                mhz = ice40_mhz(osc, divr, divf, divq)
                if 16.0 <= mhz <= 275.0:
                    numbers = {
                        "DIVR": (4, divr),
                        "DIVF": (7, divf),
                        "DIVQ": (3, divq),
                        "FILTER_RANGE": (3, filter_range),
                    }
                    literals = {key: f"{bits}'d{value}" for key, (bits, value) in numbers.items()}
                    yield Clock("", mhz, {"FEEDBACK_PATH": '"SIMPLE"', **literals})


def _ecp5(osc: float) -> Iterator[Clock]:
    """CLKOP runs at the phase detector's frequency and is fed back, CLKOS divides the same VCO."""
    for clki in range(1, 41):
        pfd = osc / clki
        if not 10.0 <= pfd <= 400.0:
            continue
        for clkop in range(1, 129):
            if not 400.0 <= pfd * clkop <= 800.0:
                continue
            for clkos in range(1, 129):
                mhz = ecp5_mhz(osc, clki, 1, clkop, clkos)
                if 3.125 <= mhz <= 400.0:
                    numbers = {"CLKI_DIV": clki, "CLKFB_DIV": 1, "CLKOP_DIV": clkop, "CLKOS_DIV": clkos}
                    phases = {"CLKOP_CPHASE": clkop - 1, "CLKOS_CPHASE": clkos - 1}  # no shift
                    yield Clock("", mhz, {key: str(value) for key, value in (numbers | phases).items()})


@dataclass(frozen=True)
class _GowinLimits:
    """Ranges of a speed grade."""

    device: str
    pfd: tuple[float, float]
    vco: tuple[float, float]
    out: tuple[float, float]


_GOWIN = {
    "gw1nr-9": _GowinLimits("GW1NR-9C", (3.0, 400.0), (400.0, 1200.0), (3.125, 600.0)),  # C6/I5
    "gw2ar-18": _GowinLimits("GW2AR-18C", (3.0, 500.0), (500.0, 1250.0), (3.90625, 625.0)),  # C8/I7
}
_ODIV = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)


def _gowin(osc: float, device: str) -> Iterator[Clock]:
    limits = _GOWIN[device]
    for idiv in range(64):
        if not limits.pfd[0] <= osc / (idiv + 1) <= limits.pfd[1]:
            continue
        for fbdiv in range(64):
            mhz = gowin_mhz(osc, idiv, fbdiv)
            odiv = next((d for d in _ODIV if limits.vco[0] <= mhz * d <= limits.vco[1]), None)
            if odiv is not None and limits.out[0] <= mhz <= limits.out[1]:
                numbers = {"IDIV_SEL": idiv, "FBDIV_SEL": fbdiv, "ODIV_SEL": odiv}
                texts = {"FCLKIN": f'"{osc:g}"', "DEVICE": f'"{limits.device}"'}
                yield Clock("", mhz, {**texts, **{key: str(value) for key, value in numbers.items()}})


_PLLS: dict[str, Callable[[float, str], Iterator[Clock]]] = {
    "SB_PLL40_PAD": lambda osc, _: _ice40(osc),
    "SB_PLL40_CORE": lambda osc, _: _ice40(osc),
    "EHXPLLL": lambda osc, _: _ecp5(osc),
    "rPLL": _gowin,
}


def _divided(osc: float, wanted: float) -> Clock:
    period = max(2, math.ceil(osc / wanted))
    return Clock("bitsmith_clock_divider", osc / period, {"PERIOD": str(period)}, period)


def clock_for(pll: str, device: str, osc: float, wanted: float) -> Clock:
    """The fastest clock up to ``wanted`` that the PLL primitive ``pll`` of ``device`` makes of the oscillator ``osc``.

    The oscillator itself where nothing is nearer; below the PLL's range a divider.  InputError below 0.1 MHz.
    """
    if wanted < 0.1:
        raise InputError(f"a clock of {wanted:g} MHz is too slow for the board's host link; choose at least 0.1 MHz")
    limit = wanted * (1 + 1e-9)
    if osc <= limit and abs(osc - wanted) <= 1e-9 * wanted:
        return Clock("", osc)
    choices = [Clock("", osc)] if osc <= limit else []
    choices += [Clock(pll, c.mhz, c.parameters) for c in _PLLS[pll](osc, device) if c.mhz <= limit]
    choices.append(_divided(osc, limit))
    return max(choices, key=lambda c: round(c.mhz, 9))  # the first of equals
