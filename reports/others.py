"""The net on other boards: fixed accelerators beside the FPGA of this build.  Nothing is priced here."""

from __future__ import annotations

from dataclasses import dataclass

from bitsmith.hls.results import AcceleratorEstimate, Figure
from bitsmith.reports.data import Design, ReportData
from bitsmith.reports.text import with_unit


@dataclass(frozen=True)
class OtherBoard:
    """A row of the table of boards."""

    title: str
    backend: str  # of the FPGA design; empty for an accelerator
    fits: bool
    latency: str
    latency_bounds: str
    energy: str
    energy_bounds: str
    power: str
    integers: str  # whether they are those of the net
    calibration: str
    why_not: tuple[str, ...]


def other_boards(data: ReportData) -> list[OtherBoard]:
    """The designs of this build, then the accelerators: those that run it first, by their energy."""
    if not data.accelerators:
        return []
    designs = [_design(data, design) for design in data.designs if design.estimate]
    ordered = sorted(data.accelerators, key=lambda cost: (not cost.fits, cost.energy_uj.value, cost.board))
    return designs + [_accelerator(cost) for cost in ordered]


def _spread(figure: Figure, size: float, unit: str) -> tuple[str, str]:
    low, high = (with_unit(v * size, unit) for v in (figure.low, figure.high))
    return with_unit(figure.value * size, unit), "" if low == high else f"{low} to {high}"


def _design(data: ReportData, design: Design) -> OtherBoard:
    cost = design.estimate
    assert cost is not None
    exact = "not proved" if design.proof is None else "yes, proved" if design.proof.exact else "NO"
    return OtherBoard(
        data.board.title,
        design.backend,
        cost.fits,
        *_spread(cost.latency_ns, 1e-9, "s"),
        *_spread(cost.energy_uj, 1e-6, "J"),
        with_unit(cost.power_mw.value * 1e-3, "W"),
        exact,
        cost.calibration,
        () if cost.fits else (f"{cost.binding} does not suffice",),
    )


def _accelerator(cost: AcceleratorEstimate) -> OtherBoard:
    return OtherBoard(
        cost.title,
        "",
        cost.fits,
        *_spread(cost.latency_ns, 1e-9, "s"),
        *_spread(cost.energy_uj, 1e-6, "J"),
        with_unit(cost.power_mw.value * 1e-3, "W"),
        "yes" if cost.exact_integers else "no",
        cost.calibration,
        tuple(f"{p.op}: {p.text}" for p in cost.problems),
    )
