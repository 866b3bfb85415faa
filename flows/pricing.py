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


def repriced(cost: Estimate, hw: HwConfig, activity: dict[str, Any]) -> Estimate:
    """The same with the power that the counted ``activity`` of the design says (``Activity`` as plain data)."""
    from bitsmith.hls.estimate.activity import Activity
    from bitsmith.hls.estimate.price import with_activity

    return with_activity(cost, hw, Activity(**activity))


def _plain(item: Estimate | LayerCost) -> dict[str, Any]:
    values = {f.name: getattr(item, f.name) for f in fields(item)}
    return {k: v.as_json() if isinstance(v, Figure) else v for k, v in values.items()}


def estimate_json(cost: Estimate) -> dict[str, Any]:
    """Every figure as ``{value, low, high}``, the rows under ``layers``."""
    return {**_plain(cost), "layers": [_plain(row) for row in cost.layers]}
