"""Terms times weights: the figures of a design of ours, row by row, with bounds on their sum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bitsmith.hls.estimate.calibration import Calibration, load_calibration
from bitsmith.hls.estimate.conformal import Band
from bitsmith.hls.estimate.rtl.terms import BRAM, DSP, LENDER, Number, Terms
from bitsmith.hls.results import Figure, LayerCost
from bitsmith.models.ir.errors import InputError

TARGETS = ("lut", "ff", "dsp", "bram")

SAME = ("xcup",)
"""Borrowers for which nothing is widened, since the tool counts them alike."""

WIDER = 3.0
"""Bounds of a borrowed calibration, on a logarithmic scale: by judgement, for want of designs."""


@dataclass(frozen=True)
class Model:
    """A calibration as it applies to one family."""

    calibration: Calibration
    widened: float  # of the bounds, on a logarithmic scale
    note: str

    def values(self, terms: Mapping[str, Number]) -> dict[str, Number]:
        """Target -> its amount, each a number or an array as the terms are."""
        found: dict[str, Number] = {}
        for target in ("lut", "ff"):
            weights = self.calibration.weights[target]
            found[target] = sum((weights[n] * x for n, x in terms.items() if n in weights), np.float64(0.0))
        return {**found, DSP: terms.get(DSP, 0.0), BRAM: terms.get(BRAM, 0.0)}

    def figures(self, rows: Mapping[str, Terms]) -> tuple[dict[str, dict[str, Figure]], str]:
        """Row -> target -> figure, and the id with its notes; the rows share the bounds of the sum in proportion."""
        values = {name: {t: float(v) for t, v in self.values(terms).items()} for name, terms in rows.items()}
        sums = {target: sum(row[target] for row in values.values()) for target in TARGETS}
        beyond = self.calibration.outside({"lut": sums["lut"], "ff": sums["ff"]})
        widened = self.widened * (1.0 + math.log(max(beyond.values(), default=1.0)))
        shares = {target: _share(self.calibration.bands[target].widened(widened), sums[target]) for target in TARGETS}
        figures = {
            name: {t: Figure(row[t], row[t] * shares[t][0], row[t] * shares[t][1]) for t in TARGETS}
            for name, row in values.items()
        }
        return figures, "; ".join(
            [self.calibration.id, *([self.note] if self.note else []), *self._beyond(beyond, sums)]
        )

    def fmax_mhz(self, paths: Mapping[str, float]) -> Figure | None:
        """The clock that place and route will reach; None where there was none to calibrate on."""
        weights, band = self.calibration.weights.get("period"), self.calibration.bands.get("fmax")
        if weights is None or band is None:
            return None
        period_ns = sum(weights.get(name, 0.0) * amount for name, amount in paths.items())
        return band.widened(self.widened).around(1e3 / period_ns)

    def _beyond(self, beyond: Mapping[str, float], sums: Mapping[str, float]) -> list[str]:
        if not beyond:
            return []
        words = [
            f"{sums[name]:.0f} {name.upper()} where it has seen {self.calibration.ranges[name][0]:.0f} to "
            f"{self.calibration.ranges[name][1]:.0f}"
            for name in beyond
        ]
        return [f"outside of its range, bounds widened: {', '.join(words)}"]


def _share(band: Band, value: float) -> tuple[float, float]:
    """Low and high over the value; of nothing, nothing is claimed."""
    if value <= 0:
        return 1.0, 1.0
    figure = band.around(value)
    return figure.low / value, figure.high / value


def model_of(family: str, backend: str) -> Model:
    """The model for designs of ``backend`` on ``family``.  InputError where there is none."""
    lender = LENDER.get(family, family)
    calibration = load_calibration(f"{backend}-{lender}")
    if calibration is None:
        raise InputError(f"there is no calibration of {backend} for the family {family}; run scripts/calibrate rtl")
    if lender == family:
        return Model(calibration, 1.0, "")
    same = family in SAME
    note = f"calibrated on {lender}" + ("" if same else f", bounds widened for {family}")
    return Model(calibration, 1.0 if same else WIDER, note)


def rows_of(figures: Mapping[str, dict[str, Figure]]) -> list[LayerCost]:
    """One row per part, in order, not yet described."""
    return [
        LayerCost(name, "stream", lut=row["lut"], ff=row["ff"], dsp=row["dsp"], bram=row["bram"])
        for name, row in figures.items()
    ]
