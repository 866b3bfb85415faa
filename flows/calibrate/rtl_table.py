"""Designs of the calibration as rows of a table: how far apart a table's prices and synthesis are."""

from __future__ import annotations

import math

import numpy as np

from bitsmith.flows.calibrate.designs import Recipe
from bitsmith.hls.estimate.rtl.many import folded_cycles, folded_terms, unrolled_terms
from bitsmith.hls.estimate.rtl.terms import LENDER
from bitsmith.hls.estimate.table import LayerTable, layer_table

LATENCY = "latency_cycles"
"""Stands among the terms: a table's guess at the latency."""


def table_of(recipe: Recipe) -> LayerTable | None:
    """The row of a chain of dense layers and convolutions; None for skips, depthwise layers and layers unrolled."""
    columns: dict[str, list[float]] = {}
    shape, bits = recipe.net.shape, recipe.net.in_bits
    for number, layer in enumerate(recipe.net.layers, 1):
        if layer.kind == "flatten":
            shape = (math.prod(shape),)
        elif layer.kind == "pool":
            shape = (*(n // layer.kernel for n in shape[:-1]), shape[-1])
        elif layer.kind in ("dense", "conv"):
            fold = (recipe.folding or {}).get(f"l{number}")
            if fold is not None and fold.mult == "unrolled":
                return None
            image = layer.kind == "conv" and len(shape) > 1
            row = {
                "channels": shape[-1],
                "outputs": layer.units,
                "a_bits": bits,
                "w_bits": layer.bits,
                "act_bits": 0 if layer.act == "none" else layer.act_bits,
                "density": 1.0 - layer.zeros,
                "rows": shape[0] if len(shape) > 1 else 1,
                "cols": shape[1] if len(shape) > 2 else 1,
                "kernel": layer.kernel if image else 1,
                "stride": layer.stride if image else 1,
                "per_channel": float(layer.act != "relu"),
                "pe": fold.pe if fold else 1,
                "simd": fold.simd if fold else 1,
            }
            for name, value in row.items():
                columns.setdefault(name, []).append(float(value))
            step = layer.stride if image else 1
            shape = (*(-(-n // step) for n in shape[:-1]), layer.units)
            bits = layer.act_bits
        else:
            return None
    if not columns:
        return None
    return layer_table(np.zeros(len(columns["pe"]), np.int64), **{name: np.array(v) for name, v in columns.items()})


def table_terms(recipe: Recipe, family: str) -> dict[str, float]:
    """Terms of the whole design by its row, and the latency by it; empty where it has none."""
    table = table_of(recipe)
    if table is None:
        return {}
    folded = recipe.backend == "rtl-folded"
    terms = folded_terms(table, LENDER.get(family, family)) if folded else unrolled_terms(table)
    found = {name: float(np.broadcast_to(amount, table.design.shape).sum()) for name, amount in terms.items()}
    return {**found, LATENCY: float(folded_cycles(table)[0][0])} if folded else found
