"""Prices the ``rtl-unrolled`` backend from the plan that its generator follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bitsmith.hls.boards import Family
from bitsmith.hls.estimate.physics import reached_clock, scaled
from bitsmith.hls.estimate.priced import Priced
from bitsmith.hls.results import Figure, LayerCost

FF_FACTOR = Figure(0.9, 0.3, 1.2)
"""Registers found over registers planned: synthesis drops dead and equal ones, moves delays into LUTs."""


class LayerPlan(Protocol):
    """One op of the plan.  Counts are totals over all ``instances`` of the op's module."""

    @property
    def op(self) -> str:
        """Name of the op."""

    @property
    def kind(self) -> str:
        """Kind of the op."""

    @property
    def instances(self) -> int:
        """How often its module stands in the design."""

    @property
    def adders(self) -> int:
        """Two-input adders and subtractors."""

    @property
    def adder_bits(self) -> int:
        """Full-adder bits of all of them: one LUT with carry each."""

    @property
    def other_luts(self) -> float:
        """LUT6 of everything that is not an adder."""

    @property
    def ff_bits(self) -> int:
        """Pipeline registers."""

    @property
    def latency_cycles(self) -> int:
        """Registers between input and output."""

    @property
    def critical_ns(self) -> float:
        """Longest path that the generator allows."""


class Plan(Protocol):
    """The whole design as its generator will write it."""

    @property
    def latency_cycles(self) -> int:
        """First input beat to its result."""

    @property
    def ii_cycles(self) -> int:
        """Cycles between two inputs."""

    @property
    def layers(self) -> Sequence[LayerPlan]:
        """One row per op."""


def price_plan(plan: Plan, family: Family) -> Priced:
    """Rows of the adder graph; cycles are exact, areas bounded by the family's factors."""
    slowest_ns = max((layer.critical_ns for layer in plan.layers), default=0.0)
    promised = 1e3 / slowest_ns if slowest_ns > 0 else family.max_mhz
    return Priced(
        layers=tuple(_row(layer, family) for layer in plan.layers),
        latency_cycles=Figure.exact(plan.latency_cycles),
        ii_cycles=Figure.exact(plan.ii_cycles),
        fmax_mhz=reached_clock(promised, family),
    )


def _row(layer: LayerPlan, family: Family) -> LayerCost:
    copies = f"{layer.instances} x, " if layer.instances > 1 else ""
    return LayerCost(
        op=layer.op,
        kind=layer.kind,
        lut=scaled(layer.adder_bits, family.adder_factor) + scaled(layer.other_luts, family.logic_factor),
        ff=scaled(layer.ff_bits, FF_FACTOR),
        latency_cycles=layer.latency_cycles,
        detail=f"{copies}{layer.adders} adders of {layer.adder_bits} bits, {layer.other_luts:.0f} other LUTs",
    )
