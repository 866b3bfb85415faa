"""The fitted numbers of the model, read from the JSON file that ``scripts/calibrate hls4ml`` writes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from bitsmith.hls.estimate.conformal import Band

PRODUCT_TERMS = ("nonzero", "ones", "twos", "soft", "hard", "inputs", "outputs")
"""Terms of a matrix of constants; see ``area.product_terms``."""

FOLDED_TERMS = ("constant", "inputs", "outputs", "direct", "mux_32", "mux_64", "mux_128", "mux_256", "lut_product")
"""Terms of the LUTs of a matrix that is folded by the resource strategy; see ``area.folded_lut_terms``."""

FOLDED_FF_TERMS = ("constant", "outputs", "selected", "direct", "lut_product")
"""Terms of its registers; see ``area.folded_ff_terms``."""

MODES = ("latency", "shared", "constant")
"""Matrix of constants: latency strategy at a reuse below and from 8 on, resource strategy at reuse 1."""


@dataclass(frozen=True)
class Coefficients:
    """Everything fitted.  ``factors[target][component.tool]`` scale the analytic terms; 1 where none is listed."""

    product: dict[str, dict[str, tuple[float, ...]]]  # mode -> target -> one per PRODUCT_TERMS
    folded: tuple[float, ...]  # LUTs, one per FOLDED_TERMS
    folded_ff: tuple[float, ...]  # one per FOLDED_FF_TERMS
    factors: dict[str, dict[str, float]] = field(default_factory=dict)
    vivado: dict[str, float] = field(default_factory=dict)  # target -> Vivado's figure over csynth's


@dataclass(frozen=True)
class Calibration:
    """Coefficients, bounds and what they rest on."""

    id: str
    coefficients: Coefficients
    bands: dict[str, dict[str, Band]]  # scope -> target -> bounds
    ranges: dict[str, dict[str, tuple[float, float]]]  # scope -> attribute -> smallest and largest seen
    widening: float  # how many times wider, on a logarithmic scale, the bounds are outside of the ranges


def to_json(calibration: Calibration) -> dict[str, Any]:
    """Plain data for the file."""
    c = calibration.coefficients
    return {
        "id": calibration.id,
        "coefficients": {
            "product": {m: {t: list(v) for t, v in per.items()} for m, per in c.product.items()},
            "folded": dict(zip(FOLDED_TERMS, c.folded, strict=True)),
            "folded_ff": dict(zip(FOLDED_FF_TERMS, c.folded_ff, strict=True)),
            "factors": c.factors,
            "vivado": c.vivado,
        },
        "bands": {
            scope: {t: [b.offset, b.down, b.up, b.n] for t, b in per.items()}
            for scope, per in calibration.bands.items()
        },
        "ranges": {s: {k: list(v) for k, v in per.items()} for s, per in calibration.ranges.items()},
        "widening": calibration.widening,
    }


def from_json(data: dict[str, Any]) -> Calibration:
    """The calibration that ``to_json`` wrote."""
    c = data["coefficients"]
    return Calibration(
        id=str(data["id"]),
        coefficients=Coefficients(
            product={m: {t: tuple(v) for t, v in per.items()} for m, per in c["product"].items()},
            folded=tuple(c["folded"][name] for name in FOLDED_TERMS),
            folded_ff=tuple(c["folded_ff"][name] for name in FOLDED_FF_TERMS),
            factors=c["factors"],
            vivado=c["vivado"],
        ),
        bands={
            scope: {t: Band(float(o), float(d), float(u), int(n)) for t, (o, d, u, n) in per.items()}
            for scope, per in data["bands"].items()
        },
        ranges={s: {k: (float(a), float(b)) for k, (a, b) in per.items()} for s, per in data["ranges"].items()},
        widening=float(data["widening"]),
    )


@cache
def load_calibration() -> Calibration:
    """The calibration that is shipped."""
    folder = resources.files("bitsmith.hls.estimate.calibrations")
    return from_json(json.loads(folder.joinpath("hls4ml.json").read_text()))
