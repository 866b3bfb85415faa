"""The designs that were synthesised, as the estimator sees them: their terms beside what the tools found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bitsmith.flows.calibrate.designs import recipe_from
from bitsmith.flows.calibrate.rtl_table import table_terms
from bitsmith.hls.backends.rtl.folded.plan import FoldedDesign
from bitsmith.hls.backends.rtl.folded.plan import design_of as folded_design
from bitsmith.hls.backends.rtl.unrolled.design import Design as UnrolledDesign
from bitsmith.hls.backends.rtl.unrolled.design import design_of as unrolled_design
from bitsmith.hls.boards import load_board
from bitsmith.hls.estimate.rtl import folded, unrolled
from bitsmith.hls.estimate.rtl.model import TARGETS
from bitsmith.hls.estimate.rtl.paths import folded_paths, unrolled_paths
from bitsmith.hls.estimate.rtl.sums import merged
from bitsmith.hls.estimate.rtl.terms import total
from bitsmith.models.ir import content_hash
from bitsmith.models.ir.errors import InputError


@dataclass(frozen=True)
class Measured:
    """A design of the data with its terms: of the whole, and of every part that synthesis kept apart."""

    id: str
    family: str
    backend: str
    depth: int  # layers with weights
    terms: dict[str, float]
    paths: dict[str, float]
    table: dict[str, float]  # terms of its row in a table of designs; empty where such a row cannot say what it is
    period_ns: float | None  # reached by place and route
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
    luts = float(row["lut"])
    if isinstance(design, FoldedDesign):
        rows, paths = folded.design_terms(design), folded_paths(design, luts)
    else:
        seen = merged(design)
        rows, paths = unrolled.design_terms(design, seen, device), unrolled_paths(seen, device, luts)
    parts = {name: {n: float(v) for n, v in terms.items()} for name, terms in rows.items()}
    return Measured(
        id=recipe.id,
        family=device.family,
        backend=recipe.backend,
        depth=sum(layer.kind not in ("flatten", "pool") for layer in recipe.net.layers),
        terms={n: float(v) for n, v in total(rows.values()).items()},
        paths=paths,
        table=table_terms(recipe, device.family),
        period_ns=1e3 / row["fmax_mhz"] if row.get("fmax_mhz") else None,
        parts=parts,
        truth=_truth(row),
        part_truth={
            name: {t: float(part[t]) * part["count"] for t in TARGETS}
            for name, part in row["parts"].items()
            if name in parts  # not what stands around them
        },
    )


def _truth(row: Mapping[str, Any]) -> dict[str, float]:
    """What the tools found: cells, cycles, and the clock where place and route ran."""
    found = {target: float(row[target]) for target in TARGETS}
    found |= {f"table.{target}": value for target, value in found.items()}
    found |= {"table.latency_cycles": float(row["latency_cycles"])}
    return {**found, "fmax": float(row["fmax_mhz"])} if row.get("fmax_mhz") else found
