"""``estimate``: what a design will cost before it is synthesised, row by row."""

from __future__ import annotations

from dataclasses import replace

from bitsmith.hls.boards import load_family
from bitsmith.hls.config import Device, HwConfig
from bitsmith.hls.estimate.activity import Activity
from bitsmith.hls.estimate.hls4ml import price_hls4ml
from bitsmith.hls.estimate.physics import timing
from bitsmith.hls.estimate.power import price_power
from bitsmith.hls.estimate.priced import Priced
from bitsmith.hls.results import ZERO, Estimate, Figure, LayerCost
from bitsmith.models.ir import QNet
from bitsmith.models.ir.errors import InputError

RESOURCES = ("lut", "ff", "dsp", "bram")


def estimate(net: QNet, hw: HwConfig, activity: Activity | None = None) -> Estimate:
    """Price of ``net`` built with ``hw.backend`` for ``hw.board``.

    The rows add up to the totals exactly.  Cycles of our own RTL are exact, all other
    figures carry bounds.  Power rests on ``activity`` where this design's RTL was simulated
    (``bitsmith.hls.activity``), else on that of other designs.  InputError for a backend
    without a cost model, and whatever the backend's own planning refuses.
    """
    return price(_priced(net, hw), hw, activity)


def _priced(net: QNet, hw: HwConfig) -> Priced:
    family = load_family(hw.board.device.family)
    if hw.backend == "rtl-unrolled":
        from bitsmith.hls.estimate.unrolled import price_unrolled

        return price_unrolled(net, hw, family)
    if hw.backend == "rtl-folded":
        from bitsmith.hls.estimate.folded import price_folded

        return price_folded(net, hw, family)
    if hw.backend == "hls4ml":
        return price_hls4ml(net, hw, family)
    if hw.backend == "finn":
        from bitsmith.hls.estimate.finn import price_finn

        return price_finn(net, hw, family)
    raise InputError(
        f"the backend {hw.backend} writes no hardware, so it has no price; use rtl-unrolled, rtl-folded, "
        f"hls4ml or finn (bitsmith emit --backend {hw.backend} writes the file)"
    )


def price(priced: Priced, hw: HwConfig, activity: Activity | None = None) -> Estimate:
    """Totals, time, power and fit of what a cost model found; ``activity`` as in :func:`estimate`."""
    device = hw.board.device
    total = {name: _total(priced.layers, name) for name in RESOURCES}
    times = timing(priced.latency_cycles, priced.ii_cycles, priced.fmax_mhz, hw.clock_mhz)
    binding, share = binding_resource(total, device)
    cost = Estimate(
        backend=hw.backend,
        device=device.name,
        **total,
        latency_cycles=priced.latency_cycles,
        ii_cycles=priced.ii_cycles,
        fmax_mhz=priced.fmax_mhz,
        latency_ns=times.latency_ns,
        throughput_per_s=times.throughput_per_s,
        fits=share <= 1.0,
        binding=binding,
        layers=priced.layers,
        calibration=priced.calibration,
        power_mw=ZERO,
        energy_uj=ZERO,
        power_source="",
    )
    return with_activity(cost, hw, activity)


def with_activity(cost: Estimate, hw: HwConfig, activity: Activity | None) -> Estimate:
    """The same price, power and energy set anew: from this design's ``activity``, or from that of others if None."""
    device = hw.board.device
    times = timing(cost.latency_cycles, cost.ii_cycles, cost.fmax_mhz, hw.clock_mhz)
    total = {name: getattr(cost, name) for name in RESOURCES}
    power = price_power(total, times, cost.ii_cycles, hw.backend, device, load_family(device.family), activity)
    return replace(
        cost,
        power_mw=power.power_mw,
        energy_uj=power.energy_uj,
        static_mw=power.static_mw,
        dynamic_mw=power.dynamic_mw,
        energy_static_uj=power.static_uj,
        energy_dynamic_uj=power.dynamic_uj,
        power_source=power.source,
    )


def _total(layers: tuple[LayerCost, ...], name: str) -> Figure:
    figure = ZERO
    for layer in layers:
        figure = figure + getattr(layer, name)
    return figure


def binding_resource(total: dict[str, Figure], device: Device) -> tuple[str, float]:
    """The resource with the largest share of the device, and that share (infinite if the device has none of it)."""
    shares = {}
    for name in RESOURCES:
        have: int = getattr(device, name)
        used = total[name].value
        shares[name] = used / have if have else (float("inf") if used else 0.0)
    worst = max(RESOURCES, key=lambda name: shares[name])
    return worst, shares[worst]
