"""Calibrations of the cost models: fitted weights, bounds, and what they rest on; one JSON file each.

``scripts/calibrate`` writes the files; see ``flows/calibrate``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from bitsmith.hls.estimate.conformal import Band

FOLDER = "calibrations"


@dataclass(frozen=True)
class Calibration:
    """A fitted model of one family and backend."""

    id: str
    tools: dict[str, str]  # what made the truth -> version
    designs: int
    weights: dict[str, dict[str, float]]  # target -> term -> amount of the target per unit of the term
    bands: dict[str, Band]  # target -> bounds
    ranges: dict[str, tuple[float, float]]  # target -> least and most among the designs
    errors: dict[str, dict[str, float]]  # target -> Score on designs that the fit had not seen

    def outside(self, values: Mapping[str, float]) -> dict[str, float]:
        """Targets whose value none of the designs comes near -> how many times it is beyond the nearest of them."""
        found = {}
        for name, value in values.items():
            low, high = self.ranges.get(name, (0.0, float("inf")))
            if value > high > 0:
                found[name] = value / high
            elif 0 < value < low:
                found[name] = low / value
        return found


def calibration_from(data: Mapping[str, Any]) -> Calibration:
    """A calibration as its file says it."""
    return Calibration(
        id=data["id"],
        tools=dict(data["tools"]),
        designs=data["designs"],
        weights={target: dict(weights) for target, weights in data["weights"].items()},
        bands={target: Band(**band) for target, band in data["bands"].items()},
        ranges={target: (low, high) for target, (low, high) in data["ranges"].items()},
        errors={target: dict(score) for target, score in data["errors"].items()},
    )


@cache
def load_calibration(name: str) -> Calibration | None:
    """The calibration in ``<name>.json``; None if there is none."""
    file = resources.files("bitsmith.hls.estimate").joinpath(FOLDER, f"{name}.json")
    if not file.is_file():
        return None
    return calibration_from(json.loads(file.read_text()))
