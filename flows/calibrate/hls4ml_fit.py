"""Coefficients of the hls4ml model from synthesis results: small least-squares fits, then one factor per component.

Every fit minimises relative errors (rows weighted by 1 / truth) over
coefficients that are not negative, on the analytic terms of
:mod:`bitsmith.hls.estimate.hls4ml.area`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bitsmith.hls.estimate.hls4ml.area import (
    folded,
    folded_ff_terms,
    folded_lut_terms,
    modes,
    product_terms,
)
from bitsmith.hls.estimate.hls4ml.coefficients import FOLDED_FF_TERMS, FOLDED_TERMS, MODES, PRODUCT_TERMS, Coefficients
from bitsmith.hls.estimate.hls4ml.layers import Floats, HlsDesign, columns
from bitsmith.hls.estimate.hls4ml.model import COMPONENTS, TARGETS, component_of, layer_areas

Row = Mapping[str, Any]

PRIOR = 0.5
"""A factor starts from 1 as if that many owners had said so."""


SMALL_ERROR = 0.002
"""Relative errors below count as squared, so that the reweighting ends."""


@dataclass(frozen=True)
class Sample:
    """A row that the model can price: its design, its truths (None: not in the row), the group it is held out with."""

    design: HlsDesign
    truth: dict[str, float | None]
    group: str
    stage: str  # csynth | vivado
    source: str  # dense | design | module
    csynth: dict[str, float | None]  # csynth's figures of a Vivado row
    saturates: bool = False  # the type of its sums saturates


def truths(samples: Sequence[Sample], target: str) -> Floats:
    """``target`` of each sample, NaN where it is not known."""
    return np.array([np.nan if s.truth[target] is None else s.truth[target] for s in samples], dtype=np.float64)


def empty() -> Coefficients:
    """All terms at nothing."""
    none = {m: {t: (0.0,) * len(PRODUCT_TERMS) for t in ("lut", "ff")} for m in MODES}
    return Coefficients(none, (0.0,) * len(FOLDED_TERMS), (0.0,) * len(FOLDED_FF_TERMS))


def fit_coefficients(samples: Sequence[Sample]) -> Coefficients:
    """All coefficients from ``samples``: dense layers first, then factors of components, then Vivado over csynth."""
    dense = [s for s in samples if s.source == "dense" and s.stage == "csynth"]
    c = columns([s.design for s in dense])
    terms = product_terms(c)
    product = {}
    for mode, rows in modes(c).items():
        product[mode] = {t: _relative(terms[rows], truths(dense, t)[rows]) for t in ("lut", "ff")}
    rows = folded(c)
    fitted = replace(
        empty(),
        product=product,
        folded=_relative(folded_lut_terms(c)[rows], truths(dense, "lut")[rows]),
        folded_ff=_relative(folded_ff_terms(c)[rows], truths(dense, "ff")[rows]),
    )
    fitted = replace(fitted, factors=_factors(samples, fitted))
    return replace(fitted, vivado=_vivado(samples))


def _relative(terms: Floats, truth: Floats) -> tuple[float, ...]:
    """Coefficients of least absolute relative error, none negative (least squares, reweighted); zeros without rows.

    Absolute, not squared: a report that some other rule decided must not bend the rest.
    """
    from scipy.optimize import nnls

    known = truth > 0
    if not known.any():
        return (0.0,) * int(terms.shape[1])
    relative = terms[known] / truth[known][:, None]
    weight = np.ones(relative.shape[0])
    for _ in range(20):
        found, _ = nnls(relative * weight[:, None], weight)
        weight = 1.0 / np.sqrt(np.maximum(np.abs(relative @ found - 1.0), SMALL_ERROR))
    return tuple(float(f"{float(value):.5g}") for value in found)


def _factors(samples: Sequence[Sample], k: Coefficients) -> dict[str, dict[str, float]]:
    """Truth over analytic area per component and tool: the median over owners of each one's median, shrunk to 1.

    Components that the dense rows fitted are left alone.
    """
    # a factor would take the errors of the law of saturating sums to all plain ones
    modules = [s for s in samples if s.source == "module" and not s.saturates]
    if not modules:
        return {}
    c = columns([s.design for s in modules])
    areas, _ = layer_areas(c, k)
    names = [COMPONENTS[i] for i in component_of(c)]
    tools = ["vitis" if s.design.vitis else "vivado" for s in modules]
    done = {f"dense_{mode}.vivado" for mode in (*MODES, "resource")}
    found: dict[str, dict[str, float]] = {}
    for target in ("lut", "ff", "dsp"):
        counted = target == "dsp"  # of a folded matrix: no factor
        truth = truths(modules, target)
        per: dict[str, dict[str, list[float]]] = {}
        for i, (name, tool) in enumerate(zip(names, tools, strict=True)):
            if (
                areas[target][i] > 0
                and truth[i] > 0
                and f"{name}.{tool}" not in done
                and not (counted and "resource" in name)
            ):
                ratio = float(np.log(truth[i] / areas[target][i]))
                per.setdefault(f"{name}.{tool}", {}).setdefault(modules[i].group, []).append(ratio)
        found[target] = {key: _shrunk([float(np.median(v)) for v in by.values()]) for key, by in sorted(per.items())}
    return found


def _shrunk(logs: list[float]) -> float:
    n = len(logs)
    return round(float(np.exp(np.median(logs) * n / (n + PRIOR))), 3)


def _vivado(samples: Sequence[Sample]) -> dict[str, float]:
    """Vivado's LUTs and registers over csynth's, from rows with both; rules count DSP and block RAM."""
    found = {}
    for target in ("lut", "ff"):
        per: dict[str, list[float]] = {}
        for s in samples:
            ours, theirs = s.truth[target], s.csynth.get(target)
            if s.stage == "vivado" and ours and theirs:
                per.setdefault(s.group, []).append(float(np.log(ours / theirs)))
        if per:
            found[target] = round(float(np.exp(np.median([np.median(v) for v in per.values()]))), 3)
    return found


__all__ = ["TARGETS", "Sample", "empty", "fit_coefficients", "truths"]
