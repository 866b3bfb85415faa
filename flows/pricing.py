"""Estimates as plain data."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import AcceleratorEstimate, Duty, Estimate, Figure
from bitsmith.models.ir import QNet
from bitsmith.models.ir.errors import DoesNotFitError

NO_FABRIC = ("lut", "ff", "dsp", "bram")
"""Resources of an FPGA, of which an accelerator takes exactly none."""


def price(net: QNet, hw: HwConfig) -> Estimate:
    """What the design will cost, before synthesis."""
    from bitsmith.hls.estimate import estimate

    return estimate(net, hw)


def repriced(cost: Estimate, hw: HwConfig, activity: dict[str, Any]) -> Estimate:
    """The same with the power that the counted ``activity`` of the design says (``Activity`` as plain data)."""
    from bitsmith.hls.estimate.activity import Activity
    from bitsmith.hls.estimate.price import with_activity

    return with_activity(cost, hw, Activity(**activity))


def price_accelerator(net: QNet, board: str) -> AcceleratorEstimate:
    """What the net costs on the accelerator board called ``board``."""
    from bitsmith.hls.accelerators import load_accelerator
    from bitsmith.hls.estimate.accelerators import estimate_accelerator

    return estimate_accelerator(net, load_accelerator(board))


def price_accelerators(net: QNet) -> tuple[AcceleratorEstimate, ...]:
    """What the net costs on every accelerator board."""
    from bitsmith.hls.accelerators import accelerators
    from bitsmith.hls.estimate.accelerators import estimate_accelerator

    return tuple(estimate_accelerator(net, board) for board in accelerators())


def fpga_duty(cost: Estimate, hw: HwConfig, rate_per_s: float, battery_mwh: float | None) -> Duty:
    """A sensor node with the design: an FPGA stays configured, so it rests at its static power."""
    from bitsmith.hls.boards import load_family
    from bitsmith.hls.estimate.duty import duty
    from bitsmith.hls.estimate.power import static_mw

    rest = static_mw(hw.board.device, load_family(hw.board.device.family))
    return duty(cost.power_mw, rest, cost.throughput_per_s, rate_per_s, battery_mwh)


def accelerator_duty(cost: AcceleratorEstimate, rate_per_s: float, battery_mwh: float | None) -> Duty:
    """A sensor node with the accelerator, which sleeps in between."""
    from bitsmith.hls.estimate.duty import duty

    return duty(cost.power_mw, cost.sleep_mw, cost.throughput_per_s, rate_per_s, battery_mwh)


def explained(cost: Estimate, hw: HwConfig) -> dict[str, str]:
    """Figure -> where it comes from."""
    from bitsmith.hls.estimate.origins import origins

    return origins(cost, hw)


def hls_verdict(net: QNet, hw: HwConfig, fits: bool) -> dict[str, Any]:
    """Whether HLS will end on an hls4ml project, why not, and the most parallel project that ends and fits."""
    from bitsmith.hls.estimate.hls4ml.feasible import why_not
    from bitsmith.hls.estimate.hls4ml.from_net import design_of_net
    from bitsmith.hls.estimate.hls4ml.largest import largest_that_fits

    reason = why_not(design_of_net(net, hw))
    verdict: dict[str, Any] = {"hls_finishes": not reason, "reason": reason, "nearest": ""}
    if reason or not fits:
        try:
            found = largest_that_fits(net, hw).hw
            verdict["nearest"] = f"--strategy {found.strategy} --reuse {found.reuse}"
        except DoesNotFitError as error:
            verdict["nearest"] = str(error)
    return verdict


def _plain(item: Any) -> Any:
    if isinstance(item, Figure):
        return item.as_json()
    if is_dataclass(item):
        return {f.name: _plain(getattr(item, f.name)) for f in fields(item)}
    return [_plain(part) for part in item] if isinstance(item, tuple | list) else item


def estimate_json(cost: Estimate) -> dict[str, Any]:
    """Every figure as ``{value, low, high}``, the rows under ``layers``."""
    return dict(_plain(cost))


def accelerator_json(cost: AcceleratorEstimate) -> dict[str, Any]:
    """The same keys as an FPGA's estimate, whose resources are exactly none, and those of an accelerator."""
    return {"target": "accelerator", **dict.fromkeys(NO_FABRIC, Figure.exact(0.0).as_json()), **_plain(cost)}


def duty_json(duty: Duty) -> dict[str, Any]:
    """Figures of a duty cycle; without a battery no days."""
    return {name: value for name, value in _plain(duty).items() if value is not None}
