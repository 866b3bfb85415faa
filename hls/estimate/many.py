"""``estimate_many``: a table of designs in, a table of prices out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.conformal import Band
from bitsmith.hls.estimate.rtl.many import folded_cycles, folded_terms, unrolled_terms
from bitsmith.hls.estimate.rtl.model import model_of
from bitsmith.hls.estimate.rtl.terms import Floats, Terms
from bitsmith.hls.estimate.table import LayerTable, PriceTable
from bitsmith.models.ir.errors import InputError

EXACT = Band(0.0, 1.0, 1.0, 0)

UNFITTED = Band(10.0, 0.4, 2.5, 0)
"""Bounds where no table was held against real results: by judgement."""


def estimate_many(table: LayerTable, hw: HwConfig) -> PriceTable:
    """Prices of all designs of ``table`` for ``hw.board`` and ``hw.backend``.

    The same formulas as for a design alone, but from what a layer's row says in
    place of a planned design: no folding is solved and no weight is looked at,
    so bounds are wider.  InputError for a backend that has no table form.
    """
    prices: dict[str, Callable[[LayerTable, HwConfig], PriceTable]] = {
        "rtl-folded": _folded,
        "rtl-unrolled": _unrolled,
        "hls4ml": _hls4ml,
    }
    if hw.backend not in prices:
        raise InputError(f"{hw.backend} has no prices by table; take one of {', '.join(prices)}")
    return prices[hw.backend](table, hw)


def _folded(table: LayerTable, hw: HwConfig) -> PriceTable:
    latency, interval = folded_cycles(table)
    terms = folded_terms(table, hw.board.device.family)
    return _ours(table, hw, terms, {"latency_cycles": latency, "ii_cycles": interval})


def _unrolled(table: LayerTable, hw: HwConfig) -> PriceTable:
    latency = 1 + table.sums(1.0 + np.log2(table.inputs) / 2)
    cycles = {"latency_cycles": latency, "ii_cycles": np.ones(table.designs)}
    return _ours(table, hw, unrolled_terms(table), cycles)


def _ours(table: LayerTable, hw: HwConfig, terms: Terms, cycles: dict[str, Floats]) -> PriceTable:
    model = model_of(hw.board.device.family, hw.backend)
    layers = model.values(terms)
    value = {target: table.sums(np.broadcast_to(amount, table.design.shape)) for target, amount in layers.items()}
    value |= cycles
    bands = {name: model.calibration.bands.get(f"table.{name}", UNFITTED).widened(model.widened) for name in value}
    bands["ii_cycles"] = EXACT
    bounds = {name: bands[name].bounds(value[name]) for name in value}
    low, high = ({name: b[k] for name, b in bounds.items()} for k in (0, 1))
    return PriceTable(value, low, high, "; ".join(x for x in (model.calibration.id, "by table", model.note) if x))


def _hls4ml(table: LayerTable, hw: HwConfig) -> PriceTable:
    from bitsmith.hls.estimate.hls4ml.table import price_table

    return price_table(table, hw)
