"""Estimator first: thousands of candidates priced by table, before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from bitsmith.flows.config import TaskConfig
from bitsmith.flows.options import hw_config
from bitsmith.flows.search.goals import RESOURCES, Goals
from bitsmith.hls.backends.divisors import divisors
from bitsmith.hls.backends.rtl.unrolled.check import addition_problems
from bitsmith.hls.backends.rtl.unrolled.costs import delays_of
from bitsmith.hls.boards import Family, load_family
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.many import estimate_many
from bitsmith.hls.estimate.physics import timing
from bitsmith.hls.estimate.power import price_power
from bitsmith.hls.estimate.table import LayerTable, PriceTable, layer_table
from bitsmith.hls.results import ZERO, Figure
from bitsmith.models.zoo.graph import INPUT, Node, final_sparsity, nodes, quantized_source
from bitsmith.models.zoo.spec import DepthwiseSpec, NetSpec, SeparableSpec, WeightedSpec

Row = dict[str, float]

BY_TABLE = ("rtl-unrolled", "rtl-folded", "hls4ml")
"""Backends that ``estimate_many`` prices."""


LOOSE = 0.7
"""Low bounds of tables times this may refuse: what sweeps train is sparser than the designs of the calibration."""


@dataclass(frozen=True)
class Price:
    """Figures of one candidate by name, and what stands in its way whatever its weights."""

    value: dict[str, float]
    low: dict[str, float]
    problem: str = ""


def prices(configs: Sequence[TaskConfig]) -> list[Price | None]:
    """A price for each, in order; None where its backend has no table, so that nothing can be said."""
    found: list[Price | None] = [None] * len(configs)
    groups: dict[str, list[int]] = {}
    for index, config in enumerate(configs):
        if config.hardware.backends[0] in BY_TABLE:
            groups.setdefault(config.hardware.model_copy(update={"target_ii": None}).model_dump_json(), []).append(
                index
            )
    for members in groups.values():
        for index, price in zip(members, _priced([configs[i] for i in members]), strict=True):
            found[index] = price
    return found


def refusal(price: Price | None, goals: Goals) -> str:
    """Why a candidate is not trained: no net of it can be built, or even low bounds break a limit; "" if neither."""
    if price is None:
        return ""
    return price.problem or ", ".join(goals.broken(price.low))


def _priced(configs: Sequence[TaskConfig]) -> Iterator[Price]:
    """Of one board, backend and clock."""
    rows = [(number, row) for number, config in enumerate(configs) for row in layer_rows(config)]
    columns = {name: np.array([row[name] for _, row in rows]) for name in rows[0][1]}
    layers = layer_table(np.array([number for number, _ in rows], np.int64), **columns)
    hw = hw_config(configs[0].hardware, configs[0].hardware.backends[0], 0)
    found = _by_table(layers, hw)
    # the solver of foldings may unroll a layer, and take logic in place of multipliers and memories
    least = _by_table(layers, replace(hw, backend="rtl-unrolled")) if hw.backend == "rtl-folded" else found
    for config, price, other in zip(configs, found, least, strict=True):
        low = {name: LOOSE * min(low, other.low.get(name, 0.0)) for name, low in price.low.items()}
        yield Price(price.value, low, _problem(config, hw))


def _by_table(layers: LayerTable, hw: HwConfig) -> list[Price]:
    table = estimate_many(layers, hw)
    family = load_family(hw.board.device.family)
    return [
        _with_power({n: _figure(table, n, number) for n in table.value}, hw, family) for number in range(layers.designs)
    ]


def _problem(config: TaskConfig, hw: HwConfig) -> str:
    """What ``rtl-unrolled`` cannot do at this clock: it never cuts an addition, and a ReLU has one as wide as its grid.

    Sums are wider, by as much as the weights say: this refuses what no weights can help.
    """
    if hw.backend != "rtl-unrolled" or (delays := delays_of(hw.board.device)) is None:
        return ""
    widths = [
        (node.activation_grid.bits, node.name)
        for node in nodes(config.net)
        if isinstance(node.layer, WeightedSpec) and node.activation == "relu"
    ]
    bits, name = max([(2, config.name), *widths])
    return ", ".join(str(p) for p in addition_problems(name, bits, hw, delays))


def _figure(table: PriceTable, name: str, number: int) -> Figure:
    return Figure(*(float(part[name][number]) for part in (table.value, table.low, table.high)))


def _with_power(figures: dict[str, Figure], hw: HwConfig, family: Family) -> Price:
    """Time and power by the estimator's own formulas, as if the clock were reached."""
    cells = {name: figures.get(name, ZERO) for name in RESOURCES}
    times = timing(figures["latency_cycles"], figures["ii_cycles"], Figure.exact(hw.clock_mhz), hw.clock_mhz)
    power = price_power(cells, times, figures["ii_cycles"], hw.backend, hw.board.device, family)
    figures = {**figures, "latency_ns": times.latency_ns, "energy_uj": power.energy_uj, "power_mw": power.power_mw}
    return Price({n: f.value for n, f in figures.items()}, {n: f.low for n, f in figures.items()})


def layer_rows(config: TaskConfig) -> Iterator[Row]:
    """The layers with weights as rows of a ``LayerTable``."""
    spec = config.net
    by_name = {node.name: node for node in nodes(spec)}
    for node in nodes(spec):
        if isinstance(node.layer, WeightedSpec):
            for row in _layer(spec, config, node, by_name):
                yield {**row, **_folded(config, row)}


def _layer(spec: NetSpec, config: TaskConfig, node: Node, by_name: dict[str, Node]) -> Iterator[Row]:
    layer = node.layer
    assert isinstance(layer, WeightedSpec)
    source = node.inputs[0]
    shape = spec.input.shape if source == INPUT else by_name[source].shape
    kernel, strides = getattr(layer, "kernel", (1,)), getattr(layer, "strides", None) or (1,)
    row = {
        "channels": float(shape[-1]),
        "outputs": float(node.shape[-1]),
        "a_bits": float(_bits_into(spec, source, by_name)),
        "w_bits": float(node.weight_grid.bits),
        "act_bits": float(node.activation_grid.bits if node.activation != "none" else 0),
        "density": 1.0 - final_sparsity(node, config.train.final_sparsity),
        "rows": float(shape[0] if len(shape) > 1 else 1),
        "cols": float(shape[1] if len(shape) > 2 else 1),
        "kernel": float(kernel[0]),
        "stride": float(strides[0]),
        "per_channel": 0.0 if spec.weight_scales == "fixed" else 1.0,
    }
    if isinstance(layer, DepthwiseSpec | SeparableSpec):
        yield {**row, "channels": 1.0, "outputs": row["channels"]}
        if isinstance(layer, SeparableSpec):
            yield {**row, "kernel": 1.0, "rows": float(node.shape[0]), "cols": float(node.shape[1]), "stride": 1.0}
        return
    yield row


def _bits_into(spec: NetSpec, source: str, by_name: dict[str, Node]) -> int:
    """Bits of what a layer reads: of the nearest activation before it."""
    source = quantized_source(by_name, source)
    return spec.input.bits if source == INPUT else by_name[source].activation_grid.bits


def _folded(config: TaskConfig, row: Row) -> Row:
    """A guess of the folding that the solver finds."""
    hardware = config.hardware
    if hardware.backends[0] != "rtl-folded":
        return {"pe": 1.0, "simd": 1.0, "reuse": float(hardware.reuse)}
    across = math.ceil(row["cols"] / row["stride"]) if row["cols"] > 1 else 1
    places = across * (math.ceil(row["rows"] / row["stride"]) if row["rows"] > 1 else 1)
    taps = row["kernel"] * (row["kernel"] if row["cols"] > 1 else 1)
    outputs, channels = int(row["outputs"]), int(row["channels"])
    wanted = outputs * channels * taps * places / (hardware.target_ii or 1)
    sum_bits = row["a_bits"] + row["w_bits"] + math.log2(max(2.0, channels * taps)) / 2
    pe, simd = _fewest_products(outputs, channels, min(wanted, outputs * channels), sum_bits, row["a_bits"])
    return {"pe": float(pe), "simd": float(simd), "reuse": 1.0}


@cache
def _fewest_products(outputs: int, channels: int, wanted: float, sum_bits: float, in_bits: float) -> tuple[int, int]:
    """(pe, simd) with as few products at a time as reach ``wanted``; of these one whose registers are fewest.

    An output at work has a sum, an input is registered twice.
    """
    _, _, pe, simd = min(
        (pe * simd, pe * sum_bits + 2 * simd * in_bits, pe, simd)
        for pe in divisors(outputs)
        for simd in divisors(channels)
        if pe * simd >= wanted
    )
    return pe, simd
