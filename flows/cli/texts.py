"""Results as text for people."""

from __future__ import annotations

from typing import Any

from bitsmith.reports.tables import table


def doctor(data: dict[str, Any]) -> str:
    """One line per part, then what each backend lacks."""
    rows = [[n, "yes" if t["usable"] else "no", t["version"]] for n, t in data["tools"].items()]
    lines = [table(["tool", "there", "version or place"], rows), ""]
    for name, state in data["backends"].items():
        lines.append(f"{name}: {'ready' if state['usable'] else 'not usable'}")
        remedies = dict.fromkeys(m["remedy"] for m in state["missing"])
        lines += [
            f"  {', '.join(m['name'] for m in state['missing'] if m['remedy'] == r)} missing: {r}" for r in remedies
        ]
    return "\n".join(lines)


def boards(rows: list[dict[str, Any]]) -> str:
    """The boards as two tables: FPGAs, then accelerators, which are priced only."""
    keys = ["name", "device", "family", "lut", "ff", "dsp", "bram"]
    fpgas = table(keys, [[r[k] for k in keys] for r in rows if r["kind"] == "fpga"])
    heads = ["priced only", "device", "weights, KiB", "activations, KiB", "weight bits", "mW"]
    fixed = [
        [
            *(r["name"], r["device"], f"{r['weights_bytes'] / 1024:,.0f}", f"{r['activations_bytes'] / 1024:,.0f}"),
            *(" ".join(str(b) for b in r["weight_bits"]), _range(r["active_mw"])),
        ]
        for r in rows
        if r["kind"] == "accelerator"
    ]
    return f"{fpgas}\n\n{table(heads, fixed)}"


def percent(value: float | None) -> str:
    """A share as percent, or a dash."""
    return "-" if value is None else f"{100 * value:.2f} %"


def training(data: dict[str, Any]) -> str:
    """Accuracies and the place of the net."""
    return (
        f"accuracy on {data['test_rows']} test rows: float {percent(data['accuracy_float'])}, "
        f"quantized {percent(data['accuracy_quantized'])}, zeros {percent(data['sparsity'])}\n"
        f"{comparison(data)}\nnet: {data['net']}"
    )


def comparison(data: dict[str, Any]) -> str:
    """The net against its source."""
    if data["exact"] is None:
        return f"a saved net, sha256 {data['net_sha256']}"
    if data["exact"]:
        text = f"exact: the net gives the integers of {data['framework']} on all of {data['samples']} rows"
        if data["rows_float32_noise"]:
            text += (
                f" (on {data['rows_float32_noise']} of them {data['framework']}'s float32 sums round the other way; "
                "in float64 they agree)"
            )
    else:
        text = (
            f"NOT exact: {data['rows_different']} of {data['samples']} rows differ from {data['framework']}, "
            f"by {data['max_abs_error']:g} at most"
        )
    for part in data["left_out"]:
        text += f"; left out of the net: {part}"
    if "accuracy_net" in data:
        text += f"; accuracy {percent(data['accuracy_net'])}, same class as the source on {percent(data['same_class'])}"
    if "bits" in data:
        text += f"\n{data['bits']} after training: {_loss(data)}"
    return text


def _loss(data: dict[str, Any]) -> str:
    """What quantization after training cost."""
    parts = []
    if data["relative_error_float"] is not None:
        parts.append(f"outputs are off by {percent(data['relative_error_float'])} (root mean square, calibration rows)")
    if "accuracy_float" in data:
        lost = 100 * (data["accuracy_float"] - data["accuracy_net"])
        parts.append(f"accuracy float {percent(data['accuracy_float'])}, lost {lost:.2f} points")
    return "; ".join(parts) or "no figure for what it costs: give --dataset"


def _range(figure: dict[str, float]) -> str:
    if figure["low"] == figure["high"]:
        return f"{figure['value']:,.6g}"
    return f"{figure['value']:,.4g} ({figure['low']:,.4g} to {figure['high']:,.4g})"


def estimate(data: dict[str, Any]) -> str:
    """Totals with their bounds."""
    keys = [k for k, v in data.items() if isinstance(v, dict) and "low" in v]
    figures = table(["figure", "value (low to high)"], [[k, _range(data[k])] for k in keys])
    verdict = "fits" if data["fits"] else "DOES NOT FIT"
    lines = [figures, f"{verdict} {data['board']}; binding: {data['binding']}; {data['calibration']}"]
    hls = data.get("hls", {})
    if hls.get("reason"):
        lines.append(f"HLS will not end: {hls['reason']}")
    if hls.get("nearest"):
        lines.append(f"the nearest that ends and fits: {hls['nearest']}")
    if data.get("power_source"):
        lines.append(f"power and energy: {data['power_source']}")
    return "\n".join(lines) + _duty(data) + _explained(data)


def _explained(data: dict[str, Any]) -> str:
    """The rows of an estimate, and where its figures come from, where that was asked for."""
    if "explain" not in data:
        return ""
    keys = ["lut", "ff", "dsp", "bram"]
    rows = [[r["op"], r["kind"], *(_range(r[k]) for k in keys), str(r["latency_cycles"])] for r in data["layers"]]
    details = [f"  {r['op']}: {r['detail']}" for r in data["layers"] if r["detail"]]
    sources = [f"  {name}: {text}" for name, text in data["explain"].items()]
    whole = table(["op", "kind", *(k.upper() for k in keys), "cycles"], rows)
    return "\n\n" + "\n".join([whole, "", *details, "", "where the figures come from:", *sources])


def accelerator(data: dict[str, Any]) -> str:
    """An estimate for a fixed accelerator: figures, memories, what stands in the way, whose integers it computes."""
    keys = ["latency_cycles", "fmax_mhz", "latency_ns", "throughput_per_s", "power_mw", "energy_uj", "utilisation"]
    memories = [[m["name"], _range(m["used"]), f"{m['available']:,}"] for m in data["memory"]]
    verdict = "fits" if data["fits"] else "DOES NOT FIT"
    room = f"binding: {data['binding']}, the net may be {data['headroom']:.3g} times as large"
    lines = [
        table(["figure", "value (low to high)"], [[k, _range(data[k])] for k in keys]),
        "",
        table(["memory", "bytes used", "there"], memories),
        f"{verdict} {data['board']} ({data['title']}); {room}; {data['calibration']}",
        *(f"  {p['op']}: {p['text']}; {p['remedy']}" for p in data["problems"]),
        f"{'the same integers' if data['exact_integers'] else 'NOT the same integers'}: {data['exactness']}",
    ]
    return "\n".join(lines) + _duty(data)


def _duty(data: dict[str, Any]) -> str:
    """A sensor node, where a rate was asked for."""
    if "duty" not in data:
        return ""
    node = data["duty"]
    keys = [k for k in ("share", "mean_power_mw", "energy_uj", "battery_days") if k in node]
    rows = table([f"at {node['rate_per_s']:g} per second", "value (low to high)"], [[k, _range(node[k])] for k in keys])
    return f"\n\n{rows}"


def proofs(rows: list[dict[str, Any]]) -> str:
    """One line per project."""
    return "\n".join(_proof(r) for r in rows)


def _proof(row: dict[str, Any]) -> str:
    clock = f", latency {row['latency_cycles']} cycles" if row["latency_cycles"] else ""
    clock += f", II {row['ii_cycles']}" if row["ii_cycles"] else ""  # too few rows show none
    if row["exact"]:
        return f"exact: {row['samples']} rows equal the net's integers{clock} ({row['engine']})"
    return f"MISMATCH {_difference(row['mismatch'])} ({row['engine']})"


def _difference(bad: dict[str, Any]) -> str:
    where = f"in op {bad['op']}, row {bad['row']}, index {list(bad['index'])}"
    return f"{where}: expected {bad['expected']}, got {bad['got']}"


def synthesis(rows: list[dict[str, Any]]) -> str:
    """Cells per project, and what else was found."""
    keys = ["tool", "lut", "ff", "dsp", "bram", "fmax_mhz", "fits", "seconds"]
    lines = [table(keys, [["-" if r[k] is None else _short(r[k]) for k in keys] for r in rows])]
    for row in rows:
        lines += _synthesised(row)
    return "\n".join(lines)


def _short(value: Any) -> Any:
    return round(value, 1) if isinstance(value, float) else value


def _synthesised(row: dict[str, Any]) -> list[str]:
    """One synthesis in lines: the netlist's proof, place and route, the bitstream."""
    lines = []
    if row["fits"] is False:
        lines.append(f"DOES NOT FIT; binding: {row['binding']}")
    if row["netlist_mismatch"]:
        lines.append(f"MISMATCH in the mapped netlist: {row['netlist_mismatch']}")
    elif row["netlist_exact"]:
        lines.append(f"mapped netlist exact: {row['netlist_samples']} rows equal the net's integers")
    placed = row["place_and_route"]
    if placed and placed["routed"]:
        kind = "between shift registers" if placed["wrapped"] else placed["top"]
        met = "met" if row["fmax_mhz"] and row["fmax_mhz"] >= placed["target_mhz"] else "MISSED"
        lines.append(
            f"placed and routed {kind} ({placed['tool']} {placed['version']}): {placed['target_mhz']:g} MHz {met}"
        )
    elif placed:
        lines.append(f"place and route ended: {placed['reason']} ({placed['tool']} {placed['version']})")
    else:
        lines.append(f"Fmax: {row['sources'].get('fmax_mhz', 'none')}")
    lines.append(f"bitstream: {row['bitstream'] or row['sources'].get('bitstream', 'none')}")
    return lines


def build(data: dict[str, Any]) -> str:
    """The summary of the main job."""
    lines = []
    if "train" in data:
        t = data["train"]
        lines.append(
            f"accuracy: float {percent(t['accuracy_float'])}, quantized {percent(t['accuracy_quantized'])}, "
            f"IP {percent(data['accuracy_ip'])}; zeros {percent(t['sparsity'])}"
        )
    lines.append(comparison(data["import"]))
    for name, part in data["backends"].items():
        lines.append(f"{name}: {_proof(part['verify'])}")
        line = f"{name}: LUT estimated {_range(part['estimate']['lut'])}"
        other = part.get("tool_estimate")
        if other:
            line += f"; {other['tool']} {other['version']}'s own model says {other['lut']:,.0f}"
        synth = part.get("synth", {})
        if "lut" in synth:
            line += f", synthesised {synth['lut']:,} ({synth['tool']} {synth['version']})"
        lines.append(line)
        if "lut" in synth:
            lines += [f"{name}: {text}" for text in _synthesised(synth)]
    lines.append(f"report: {data['report']}")
    return "\n".join(lines)


def host(data: dict[str, Any]) -> str:
    """What the board answered, and how fast."""
    verdict = "equal to the net's integers" if data["exact"] else f"MISMATCH {_difference(data['mismatch'])}"
    span = f"{data['latency_cycles_min']} to {data['latency_cycles_max']}"
    cycles = span if data["latency_cycles"] is None else str(data["latency_cycles"])
    told = data["predicted_cycles"]
    predicted = "" if told is None else f" ({told} predicted)"
    time = "" if data["latency_us"] is None else f" = {data['latency_us']:.3g} us"
    lines = [
        f"{data['project']}: {data['samples']} rows, {data['engine']}",
        f"  {verdict}",
        f"  latency {cycles} cycles{predicted}{time} at {data['clock_mhz']:g} MHz; the self-test passed",
    ]
    if data["resent"]:
        lines.append(f"  {data['resent']} requests were sent again: the line is bad")
    return "\n".join(lines)
