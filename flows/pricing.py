"""The estimate as plain data."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Estimate, Figure, LayerCost
from bitsmith.models.ir import QNet


def price(net: QNet, hw: HwConfig) -> Estimate:
    """What the design will cost, before synthesis."""
    from bitsmith.hls.estimate import estimate

    return estimate(net, hw)


def _plain(item: Estimate | LayerCost) -> dict[str, Any]:
    values = {f.name: getattr(item, f.name) for f in fields(item)}
    return {k: v.as_json() if isinstance(v, Figure) else v for k, v in values.items()}


def estimate_json(cost: Estimate) -> dict[str, Any]:
    """Every figure as ``{value, low, high}``, the rows under ``layers``."""
    return {**_plain(cost), "layers": [_plain(row) for row in cost.layers]}
