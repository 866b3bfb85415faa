"""Fits the prices of our own RTL to designs that yosys and nextpnr have made; every figure is of unseen networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bitsmith.flows.calibrate.fit import Row, fit_weights, predict
from bitsmith.flows.calibrate.rtl_measured import Measured
from bitsmith.flows.calibrate.rtl_table import LATENCY
from bitsmith.hls.estimate.conformal import Band, Floats, beyond_extremes, fit_band
from bitsmith.hls.estimate.metrics import Score, score
from bitsmith.hls.estimate.rtl.terms import BRAM, COUNTED, DSP, FF

FMAX, PERIOD = "fmax", "period"

WHOLE = 3.0
"""Weight of a whole design among its parts."""

STIFF_PATHS = 2.0
"""Weight of the guesses at paths: placed designs are few."""

FOLDS = 5

OFFSETS = {"lut": 10.0, "ff": 10.0, "dsp": 0.5, "bram": 0.5, FMAX: 0.0}
TABLE_OFFSETS = {
    **{f"table.{name}": offset for name, offset in OFFSETS.items() if name != FMAX},
    f"table.{LATENCY}": 4.0,
}
"""Of the bounds, see :class:`bitsmith.hls.estimate.conformal.Band`."""

Weights = dict[str, dict[str, float]]


def is_lut(name: str) -> bool:
    """Whether a term is logic."""
    return not name.startswith(FF) and name not in COUNTED


def is_ff(name: str) -> bool:
    """Whether a term is flip-flops."""
    return name.startswith(FF)


CHOOSE: dict[str, Callable[[str], bool]] = {"lut": is_lut, "ff": is_ff}


def guess(name: str) -> float:
    """LUTs or flip-flops of a term before anything is fitted: a LUT a bit, a few for the control of a unit."""
    if name.startswith(FF):
        return 0.5 if name.startswith("ff.block") else 1.0
    if name == "graph.deep_adders":
        return 0.0  # they are among the adders already
    if name in ("rom.luts", "rom.tables"):
        return 0.45  # a mapper to wide LUTs makes all of a column, one to small ones what differs in it
    if name.startswith("block."):
        return 0.5
    if name.startswith("constant."):
        return 0.4
    if name in ("mvu", "mac", "window", "lines"):
        return 15.0
    return 0.9


def guess_ns(name: str) -> float:
    """Nanoseconds of a part of the longest path before anything is fitted."""
    return {"path": 2.5, "path.size": 0.2, "path.graph_ns": 0.2, "path.ns": 0.7}.get(name, 0.05)


def training_rows(designs: Iterable[Measured], target: str) -> list[Row]:
    """Whole designs, and their parts, which are scaled to add up to what the flattened design takes."""
    choose = CHOOSE[target]
    rows = []
    for design in designs:
        rows.append(Row(design.id, chosen(design.terms, choose), design.truth[target], WHOLE))
        if target == FF and design.backend == "rtl-unrolled":
            continue  # registers that wait for other layers stand around the modules, not in them
        apart = sum(part[target] for part in design.part_truth.values())
        shrink = min(1.0, design.truth[target] / apart) if apart else 1.0
        for name, terms in design.parts.items():
            if name in design.part_truth:
                truth = design.part_truth[name][target] * shrink
                rows.append(Row(design.id, chosen(terms, choose), truth, 1.0))
    return rows


def chosen(terms: Mapping[str, float], choose: Callable[[str], bool]) -> dict[str, float]:
    """Those terms that ``choose`` takes."""
    return {name: amount for name, amount in terms.items() if choose(name)}


def fit(designs: Sequence[Measured]) -> Weights:
    """Target -> weights; of the period where some designs were placed."""
    found = {target: fit_weights(training_rows(designs, target), guess) for target in CHOOSE}
    placed = [Row(d.id, d.paths, d.period_ns, 1.0) for d in designs if d.period_ns]
    return {**found, PERIOD: fit_weights(placed, guess_ns, 0.0, STIFF_PATHS)} if placed else found


def values(weights: Weights, design: Measured) -> dict[str, float]:
    """Target -> estimate."""
    found = {t: predict(weights[t], chosen(design.terms, choose), guess) for t, choose in CHOOSE.items()}
    if PERIOD in weights:
        found[FMAX] = 1e3 / predict(weights[PERIOD], design.paths, guess_ns)
    found |= {DSP: design.terms.get(DSP, 0.0), BRAM: design.terms.get(BRAM, 0.0)}
    if design.table:
        cells = {name: amount for name, amount in design.table.items() if name != LATENCY}
        by_table = {t: predict(weights[t], chosen(cells, choose), guess) for t, choose in CHOOSE.items()}
        by_table |= {name: design.table[name] for name in (DSP, BRAM, LATENCY) if name in design.table}
        found |= {f"table.{name}": value for name, value in by_table.items()}
    return found


@dataclass(frozen=True)
class Unseen:
    """Designs with estimates by fits on other networks, and the part of the split that each was in."""

    designs: tuple[Measured, ...]
    estimates: tuple[dict[str, float], ...]
    part: tuple[int, ...]

    def pairs(self, target: str) -> tuple[Floats, Floats, Floats]:
        """Truth, estimate and part of those designs whose truth is known; (n,) each."""
        rows = [
            (d.truth[target], e[target], k)
            for d, e, k in zip(self.designs, self.estimates, self.part, strict=True)
            if target in d.truth and target in e
        ]
        truth, value, part = np.array(rows, float).reshape(-1, 3).T
        return truth, value, part


def unseen(designs: Sequence[Measured]) -> Unseen:
    """Every design's estimate by a fit without its network: ``FOLDS`` parts, one left out in turn."""
    ids = sorted(d.id for d in designs)
    part = [ids.index(d.id) % FOLDS for d in designs]
    fits = [fit([d for d, k in zip(designs, part, strict=True) if k != left]) for left in range(FOLDS)]
    estimates = tuple(values(fits[k], d) for d, k in zip(designs, part, strict=True))
    return Unseen(tuple(designs), estimates, tuple(part))


def deeper(designs: Sequence[Measured], most: int) -> Unseen:
    """The designs with more than ``most`` layers, estimated by a fit on the others."""
    found = fit([d for d in designs if d.depth <= most])
    rest = tuple(d for d in designs if d.depth > most)
    return Unseen(rest, tuple(values(found, d) for d in rest), (0,) * len(rest))


def band_of(found: Unseen, target: str) -> Band | None:
    """Bounds for ``target``, from all estimates; None without any."""
    truth, value, _ = found.pairs(target)
    return _fit_band(truth, value, target) if truth.size else None


def _fit_band(truth: Floats, value: Floats, target: str) -> Band:
    band = fit_band(truth, value, (OFFSETS | TABLE_OFFSETS)[target])
    return band.widened(beyond_extremes(band.n))


def bounded(found: Unseen, target: str, band: Band | None = None) -> Floats:
    """Truth, estimate, low and high, (4, n); each design's bounds rest on the others' parts, or are ``band``."""
    truth, value, part = found.pairs(target)
    low, high = np.empty_like(value), np.empty_like(value)
    for k in np.unique(part):
        here = part == k
        own = band or _fit_band(truth[~here], value[~here], target)
        low[here], high[here] = own.bounds(value[here])
    return np.stack([truth, value, low, high])


def score_of(many: Sequence[Floats]) -> Score | None:
    """Errors over what :func:`bounded` found; None of nothing."""
    rows = np.concatenate(many, axis=1)
    return score(*rows) if rows.size else None
