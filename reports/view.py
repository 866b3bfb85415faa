"""What the page says about a ReportData: derived rows, ready for the template.  No number is made here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bitsmith.hls.config import Device
from bitsmith.hls.results import Estimate, Figure, LayerCost, OpCount, SynthReport, VerifyResult
from bitsmith.reports.data import Accuracy, Design, Node, ReportData
from bitsmith.reports.others import other_boards
from bitsmith.reports.picture import lay_out
from bitsmith.reports.text import bounds, number, percent, with_unit

RESOURCES = ("lut", "ff", "dsp", "bram")


@dataclass(frozen=True)
class Tile:
    """One figure of the headline."""

    label: str
    value: str
    note: str
    state: str = ""  # "good" | "bad" | ""


@dataclass(frozen=True)
class Bar:
    """A range on an axis from 0 to 100: where it begins, ends, its central value, and a measured mark."""

    low: float
    high: float
    value: float
    mark: float | None = None


@dataclass(frozen=True)
class Row:
    """One op of the per-layer table; None where nothing is known."""

    op: str
    kind: str
    count: OpCount | None
    cost: LayerCost | None
    synth_lut: int | None
    bar: Bar | None


@dataclass(frozen=True)
class Compared:
    """A resource as estimated and as synthesised."""

    name: str
    figure: Figure
    synth: int | None
    capacity: int
    bar: Bar

    @property
    def used(self) -> float:
        """Synthesised where that is known, else the central estimate."""
        return self.figure.value if self.synth is None else float(self.synth)

    @property
    def ratio(self) -> float | None:
        """Synthesised over estimated; None where one of them is missing or zero."""
        return self.synth / self.figure.value if self.synth is not None and self.figure.value else None

    @property
    def outside(self) -> bool:
        """Whether synthesis left the bounds of the estimate."""
        return self.synth is not None and not self.figure.low <= self.synth <= self.figure.high


@dataclass(frozen=True)
class Quantity:
    """A figure with bounds that has no capacity: cycles, clock, time, power."""

    name: str
    value: str
    bounds: str
    note: str = ""


def context(data: ReportData) -> dict[str, Any]:
    """Everything that ``report.html.j2`` reads."""
    main = data.designs[0] if data.designs else None
    return {
        "data": data,
        "main": main,
        "exact": is_exact(data),
        "tiles": _tiles(data, main),
        "picture": lay_out(data.net.nodes) if data.net else None,
        "rows": layer_rows(data, main),
        "totals": _totals(data.counts),
        "accuracies": _accuracies(data.accuracy) if data.accuracy else [],
        "compared": {d.backend: compare(d.estimate, d.synth, data.board.device) for d in data.designs if d.estimate},
        "quantities": {d.backend: _quantities(d.estimate, d.proof) for d in data.designs if d.estimate},
        "proved": [d for d in data.designs if d.proof],
        "priced": [d for d in data.designs if d.estimate],
        "synthesised": [d for d in data.designs if d.synth],
        "other_boards": other_boards(data),
        "with_files": [d for d in data.designs if d.files],
        "slowest": max((s.seconds for s in data.stages), default=0.0),
        "resource_title": {name: resource_title(name, data.board.device) for name in RESOURCES},
    }


def is_exact(data: ReportData) -> bool | None:
    """Whether every proof holds; None if nothing was proved."""
    proofs = [d.proof.exact for d in data.designs if d.proof] + ([data.source.exact] if data.source else [])
    return all(proofs) if proofs else None


def resource_title(name: str, device: Device) -> str:
    """A resource as the family counts it."""
    if name == "lut":
        return f"LUT{device.lut_inputs}"
    return f"BRAM ({number(device.bram_kbit)} kbit)" if name == "bram" else name.upper()


def short_type(node: Node) -> str:
    """``u6`` or ``i12`` of ``u6*2^-4``."""
    return node.type.split("*")[0]


def _tiles(data: ReportData, main: Design | None) -> list[Tile]:
    tiles = []
    if data.accuracy:
        tiles.append(_accuracy_tile(data.accuracy))
    if main and (main.synth or main.estimate):
        tiles.append(_lut_tile(main, data.board.device))
    if main and (main.proof or main.estimate):
        tile = _latency_tile(main)
        tiles += [tile] if tile else []
    exact = is_exact(data)
    if exact is not None:
        tiles.append(_exact_tile(data, exact))
    return tiles


def _accuracy_tile(acc: Accuracy) -> Tile:
    best = next((v for v in (acc.ip, acc.quantized_model, acc.float_model) if v is not None), None)
    whose = "of the IP" if acc.ip is not None else "quantized" if acc.quantized_model is not None else "float"
    note = f"{acc.rows:,} test rows"
    if acc.float_model is not None and whose != "float":
        note = f"float {percent(acc.float_model)}, {note}"
    return Tile(f"{acc.metric.capitalize()} {whose}", percent(best), note)


def _lut_tile(main: Design, device: Device) -> Tile:
    title = resource_title("lut", device)
    if main.synth and main.synth.lut is not None:
        share = percent(main.synth.lut / device.lut, 1)
        return Tile(title, number(main.synth.lut), f"{share} of the device, {main.synth.tool}")
    assert main.estimate is not None or main.synth is not None
    if main.estimate is None:
        return Tile(title, "–", "not reported")
    figure = main.estimate.lut
    return Tile(
        title, number(round(figure.value)), f"estimated, {bounds(figure)}; {percent(figure.value / device.lut, 1)}"
    )


def _latency_tile(main: Design) -> Tile | None:
    measured = main.proof.latency_cycles if main.proof else None
    if measured is not None and main.proof is not None:
        time = with_unit(measured / main.clock_mhz / 1e6, "s")
        ii = f", a result every {_cycles(main.proof.ii_cycles)}" if main.proof.ii_cycles is not None else ""
        return Tile("Latency", _cycles(measured), f"{time} at {number(main.clock_mhz)} MHz{ii}")
    if main.estimate is None:
        return None
    figure = main.estimate.latency_cycles
    return Tile("Latency", _cycles(figure.value), f"estimated, {bounds(figure)}" if bounds(figure) else "planned")


def _cycles(n: float | None) -> str:
    return "–" if n is None else f"{number(n)} cycle{'' if n == 1 else 's'}"


def _exact_tile(data: ReportData, exact: bool) -> Tile:
    proofs = [d.proof for d in data.designs if d.proof]
    if not exact:
        return Tile("Bit-exact", "No", "a difference was found, see below", "bad")
    if not proofs:
        assert data.source is not None
        return Tile(f"Equals {data.source.framework}", "Yes", f"{data.source.samples:,} rows; hardware not run", "good")
    rows = min(p.samples for p in proofs)
    where = f" in {len(proofs)} backends" if len(proofs) > 1 else ""
    return Tile("Bit-exact", "Yes", f"{rows:,} rows{where}", "good")


def layer_rows(data: ReportData, main: Design | None) -> list[Row]:
    """A row per op of the net, then those that only the estimate or the synthesis knows (interfaces)."""
    costs = {c.op: c for c in main.estimate.layers} if main and main.estimate else {}
    luts = dict(main.synth.layers) if main and main.synth else {}
    counts = {c.op: c for c in data.counts}
    top = max([c.lut.high for c in costs.values()] + [float(v) for v in luts.values()], default=0.0)
    names = list(dict.fromkeys([*counts, *costs, *luts]))
    rows = []
    for name in names:
        count, cost = counts.get(name), costs.get(name)
        kind = count.kind if count else cost.kind if cost else ""
        drawn = bar(cost.lut, top, luts.get(name)) if cost and cost.lut.high > 0 else None
        rows.append(Row(name, kind, count, cost, luts.get(name), drawn))
    return rows


def _totals(counts: tuple[OpCount, ...]) -> dict[str, float]:
    weights = sum(c.weights for c in counts)
    nonzero = sum(c.nonzero_weights for c in counts)
    return {
        "macs": sum(c.macs for c in counts),
        "nonzero_macs": sum(c.nonzero_macs for c in counts),
        "bit_ops": sum(c.bit_ops for c in counts),
        "params": sum(c.params for c in counts),
        "weights": weights,
        "nonzero_weights": nonzero,
        "stored_bits": sum(c.stored_bits for c in counts),
        "sparsity": 1 - nonzero / weights if weights else 0.0,
    }


def _accuracies(acc: Accuracy) -> list[tuple[str, float, float | None]]:
    """Name, value, and the difference to float in points."""
    values = (("float model", acc.float_model), ("quantized model", acc.quantized_model), ("IP", acc.ip))
    base = acc.float_model
    return [
        (name, value, None if base is None or name == "float model" else 100 * (value - base))
        for name, value in values
        if value is not None
    ]


def bar(figure: Figure, top: float, mark: float | None = None) -> Bar:
    """A figure on an axis that ends at ``top``."""

    def place(x: float) -> float:
        return round(100 * x / top, 2) if top else 0.0

    return Bar(place(figure.low), place(figure.high), place(figure.value), None if mark is None else place(mark))


def compare(cost: Estimate, synth: SynthReport | None, device: Device) -> list[Compared]:
    """The four resources; each bar on its own axis, which ends a little above the largest figure."""
    rows = []
    for name in RESOURCES:
        figure: Figure = getattr(cost, name)
        found: int | None = getattr(synth, name) if synth else None
        top = 1.05 * max(figure.high, float(found or 0))
        rows.append(Compared(name, figure, found, getattr(device, name), bar(figure, top, found)))
    return rows


def _quantities(cost: Estimate, proof: VerifyResult | None) -> list[Quantity]:
    latency, ii = (proof.latency_cycles, proof.ii_cycles) if proof else (None, None)
    return [
        _clocked("Latency", cost.latency_cycles, latency),
        _clocked("Initiation interval", cost.ii_cycles, ii),
        _physical("Fmax", cost.fmax_mhz, 1e6, "Hz"),
        _physical("Latency", cost.latency_ns, 1e-9, "s", "at the target clock, or Fmax where lower"),
        _physical("Throughput", cost.throughput_per_s, 1.0, "/s", "at the same clock"),
        _physical("Power", cost.power_mw, 1e-3, "W", f"full load; {cost.power_source or 'model, not measured'}"),
        *_parts(cost.static_mw, cost.dynamic_mw, 1e-3, "W"),
        _physical("Energy per inference", cost.energy_uj, 1e-6, "J", "the same model"),
        *_parts(cost.energy_static_uj, cost.energy_dynamic_uj, 1e-6, "J"),
    ]


def _parts(static: Figure, dynamic: Figure, size: float, unit: str) -> list[Quantity]:
    """The two parts of a power or an energy; none where an older estimate does not split it."""
    if static.value == dynamic.value == 0:
        return []
    return [
        _physical("of it static", static, size, unit, "the whole device, whatever is in it"),
        _physical("of it dynamic", dynamic, size, unit, "the design and its clock"),
    ]


def _clocked(name: str, figure: Figure, simulated: int | None) -> Quantity:
    note = "" if simulated is None else f"simulated: {number(simulated)}"
    return Quantity(name, _cycles(figure.value), bounds(figure) or "exact", note)


def _physical(name: str, figure: Figure, size: float, unit: str, note: str = "") -> Quantity:
    low, high = (with_unit(v * size, unit) for v in (figure.low, figure.high))
    return Quantity(name, with_unit(figure.value * size, unit), "" if low == high else f"{low} to {high}", note)
