"""Bounds of predictions: which calibration a design falls under, and how far outside of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitsmith.hls.estimate.hls4ml.area import folded, modes
from bitsmith.hls.estimate.hls4ml.coefficients import Calibration
from bitsmith.hls.estimate.hls4ml.layers import Columns, Floats

SCOPES = (
    "dense_latency", "dense_shared", "dense_constant", "dense_resource", "design", "plain", "module", "vivado",
    "plain_vivado",
)  # fmt: skip
"""One dense layer alone in Vivado HLS by its mode; a whole design, or one whose sums are known to be plain; a module
alone; anything, or anything plain, in Vivado's synthesis."""

RANGED = ("n_in", "n_out", "in_bits", "weight_bits", "reuse")
"""Attributes of matrices whose ranges a scope's bounds hold for."""


@dataclass(frozen=True, eq=False)
class Bounded:
    """Low and high of each target, arrays of shape (designs,), and which designs lie outside of the calibration."""

    low: dict[str, Floats]
    high: dict[str, Floats]
    outside: NDArray[np.bool_]


def scopes_of(c: Columns, vivado: bool) -> NDArray[np.int64]:
    """Index into SCOPES of each design, (designs,)."""
    found = np.full(c.designs, SCOPES.index("design"), dtype=np.int64)
    alone = (c.sums(np.ones(c.kind.size)) == 1) & ~c.stream & ~c.vitis & ~c.series7
    rows = c.is_kind("dense") & c.of_layers(alone)
    for name, mode in (*modes(c).items(), ("resource", folded(c))):
        found[c.design[rows & mode]] = SCOPES.index(f"dense_{name}")
    found[c.plain & (found == SCOPES.index("design"))] = SCOPES.index("plain")
    found[c.module] = SCOPES.index("module")
    logic = np.where(c.plain, SCOPES.index("plain_vivado"), SCOPES.index("vivado"))
    return logic.astype(np.int64) if vivado else found


def outside_of(c: Columns, scopes: NDArray[np.int64], calibration: Calibration) -> NDArray[np.bool_]:
    """Designs with a matrix beyond what their scope was fitted on (or a scope that nothing was fitted on)."""
    found = np.zeros(c.designs, dtype=np.bool_)
    of_layer = scopes[c.design]
    for i, scope in enumerate(SCOPES):
        ranges = calibration.ranges.get(scope)
        if ranges is None:
            found |= scopes == i
            continue
        for name, (low, high) in ranges.items():
            value = c.of_layers(c.clock_ns) if name == "clock_ns" else getattr(c, name)
            rows = (of_layer == i) & (c.matrix | (name == "clock_ns")) & ((value < low) | (value > high))
            found[c.design[rows]] = True
    return found


def bound(c: Columns, values: dict[str, Floats], calibration: Calibration, vivado: bool = False) -> Bounded:
    """Bounds of ``values`` (target -> (designs,)); wider outside of the calibration."""
    scopes = scopes_of(c, vivado)
    outside = outside_of(c, scopes, calibration)
    low, high = ({t: v.copy() for t, v in values.items()} for _ in range(2))
    for i, scope in enumerate(SCOPES):
        bands = calibration.bands.get(scope) or calibration.bands.get("design", {})
        for target, band in bands.items():
            for rows, used in ((~outside, band), (outside, band.widened(calibration.widening))):
                which = (scopes == i) & rows
                low[target][which], high[target][which] = used.bounds(values[target][which])
    return Bounded(low, high, outside)
