"""Calibrates the prices of our own RTL on designs that yosys and nextpnr have made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bitsmith.flows.calibrate.designs import recipe_from
from bitsmith.flows.calibrate.fit import Row, fit_weights, predict
from bitsmith.hls.backends.rtl.folded.plan import FoldedDesign
from bitsmith.hls.backends.rtl.folded.plan import design_of as folded_design
from bitsmith.hls.backends.rtl.unrolled.design import Design as UnrolledDesign
from bitsmith.hls.backends.rtl.unrolled.design import design_of as unrolled_design
from bitsmith.hls.boards import load_board
from bitsmith.hls.estimate.conformal import fit_band
from bitsmith.hls.estimate.metrics import Score, score
from bitsmith.hls.estimate.rtl import folded, unrolled
from bitsmith.hls.estimate.rtl.model import TARGETS
from bitsmith.hls.estimate.rtl.terms import BRAM, COUNTED, DSP, FF, total
from bitsmith.models.ir import content_hash
from bitsmith.models.ir.errors import InputError

WHOLE = 3.0
"""Weight of a whole design among its parts."""

FOLDS = 5
OFFSETS = {"lut": 10.0, "ff": 10.0, "dsp": 0.5, "bram": 0.5}
"""Of the bounds, see :class:`bitsmith.hls.estimate.conformal.Band`."""


@dataclass(frozen=True)
class Measured:
    """A design of the data with its terms: of the whole, and of every part that synthesis kept apart."""

    id: str
    family: str
    backend: str
    depth: int  # layers with weights
    terms: dict[str, float]
    parts: dict[str, dict[str, float]]
    truth: dict[str, float]
    part_truth: dict[str, dict[str, float]]


Design = FoldedDesign | UnrolledDesign


def rebuilt(row: Mapping[str, Any]) -> Design:
    """The design of a line of the data file.  InputError if its network is no longer the one that was synthesised."""
    recipe = recipe_from(dict(row))
    net, hw = recipe.build()
    if content_hash(net) != row["net_sha256"]:
        raise InputError(f"{recipe.id}: its network is not the one that was synthesised; synthesise the data anew")
    if recipe.backend == "rtl-folded":
        assert recipe.folding is not None, f"{recipe.id} has no folding"
        return folded_design(net, hw, recipe.folding)
    return unrolled_design(net, hw)


def measured(row: Mapping[str, Any], design: Design) -> Measured:
    """A line of the data file as the estimator sees its design."""
    recipe = recipe_from(dict(row))
    device = load_board(recipe.board).device
    if isinstance(design, FoldedDesign):
        rows = folded.design_terms(design)
    else:
        rows = unrolled.design_terms(design, device.lut_inputs)
    parts = {name: {n: float(v) for n, v in terms.items()} for name, terms in rows.items()}
    return Measured(
        id=recipe.id,
        family=device.family,
        backend=recipe.backend,
        depth=sum(layer.kind not in ("flatten", "pool") for layer in recipe.net.layers),
        terms={n: float(v) for n, v in total(rows.values()).items()},
        parts=parts,
        truth={target: float(row[target]) for target in TARGETS},
        part_truth={
            name: {t: float(part[t]) * part["count"] for t in TARGETS}
            for name, part in row["parts"].items()
            if name in parts  # not what stands around them
        },
    )


def is_lut(name: str) -> bool:
    """Whether a term is logic."""
    return not name.startswith(FF) and name not in COUNTED


def is_ff(name: str) -> bool:
    """Whether a term is flip-flops."""
    return name.startswith(FF)


CHOOSE = {"lut": is_lut, "ff": is_ff}


def guess(name: str) -> float:
    """LUTs or flip-flops of a term before anything is fitted: a LUT a bit, a few for the control of a unit."""
    if name.startswith(FF):
        return 0.5 if name.startswith("ff.block") else 1.0
    if name.startswith("block."):
        return 0.5
    if name.startswith("constant."):
        return 0.4
    if name in ("mvu", "mac", "window", "lines"):
        return 15.0
    return 0.9


def training_rows(designs: Iterable[Measured], target: str) -> list[Row]:
    """Whole designs, and their parts, which are scaled to add up to what the flattened design takes."""
    choose = CHOOSE[target]
    rows = []
    for design in designs:
        rows.append(Row(design.id, _chosen(design.terms, choose), design.truth[target], WHOLE))
        if target == FF and design.backend == "rtl-unrolled":
            continue  # registers that wait for other layers stand around the modules, not in them
        apart = sum(part[target] for part in design.part_truth.values())
        shrink = min(1.0, design.truth[target] / apart) if apart else 1.0
        for name, terms in design.parts.items():
            if name in design.part_truth:
                truth = design.part_truth[name][target] * shrink
                rows.append(Row(design.id, _chosen(terms, choose), truth, 1.0))
    return rows


def _chosen(terms: Mapping[str, float], choose: Any) -> dict[str, float]:
    return {name: amount for name, amount in terms.items() if choose(name)}


def fit(designs: Sequence[Measured]) -> dict[str, dict[str, float]]:
    """Target -> weights."""
    return {target: fit_weights(training_rows(designs, target), guess) for target in CHOOSE}


def values(weights: Mapping[str, dict[str, float]], design: Measured) -> dict[str, float]:
    """Target -> estimate."""
    found = {t: predict(weights[t], _chosen(design.terms, choose), guess) for t, choose in CHOOSE.items()}
    return {**found, DSP: design.terms.get(DSP, 0.0), BRAM: design.terms.get(BRAM, 0.0)}


def unseen(designs: Sequence[Measured]) -> list[dict[str, float]]:
    """Every design's estimate by a fit on other networks: ``FOLDS`` parts, one left out in turn."""
    groups = sorted({d.id for d in designs})
    part = {group: k % FOLDS for k, group in enumerate(groups)}
    fits = [fit([d for d in designs if part[d.id] != k]) for k in range(FOLDS)]
    return [values(fits[part[d.id]], d) for d in designs]


def deeper(designs: Sequence[Measured], most: int) -> tuple[list[Measured], list[dict[str, float]]]:
    """Estimates of the designs with more than ``most`` layers by a fit on the others."""
    found = fit([d for d in designs if d.depth <= most])
    rest = [d for d in designs if d.depth > most]
    return rest, [values(found, d) for d in rest]


def crossed_scores(designs: Sequence[Measured], estimates: Sequence[Mapping[str, float]]) -> dict[str, Score]:
    """Target -> errors; the bounds of every design are fitted without its network's part."""
    groups = sorted({d.id for d in designs})
    part = np.array([groups.index(d.id) % FOLDS for d in designs])
    found = {}
    for target in TARGETS:
        truth = np.array([d.truth[target] for d in designs])
        value = np.array([e[target] for e in estimates])
        low, high = np.empty_like(value), np.empty_like(value)
        for k in range(FOLDS):
            band = fit_band(truth[part != k], value[part != k], OFFSETS[target])
            low[part == k], high[part == k] = band.bounds(value[part == k])
        found[target] = score(truth, value, low, high)
    return found
