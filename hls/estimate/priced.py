"""What every cost model hands to the estimate: rows, cycles, clock."""

from __future__ import annotations

from dataclasses import dataclass

from bitsmith.hls.results import Figure, LayerCost


@dataclass(frozen=True)
class Priced:
    """A design as one backend's cost model sees it."""

    layers: tuple[LayerCost, ...]
    latency_cycles: Figure
    ii_cycles: Figure
    fmax_mhz: Figure
    calibration: str = "uncalibrated"  # id of what the bounds rest on
