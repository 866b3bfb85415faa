"""The power model against published figures, and its coefficients: the tables of docs/power.md.

    python scripts/power_table.py [--coefficients | --activity]

Every published design (scripts/power_published.toml) is priced from its published cells and clock, so that
no error of the estimated area stands in between; the activity is the default of its kind of backend.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import bitsmith.hls.estimate
from bitsmith.hls.boards import family_names, load_family
from bitsmith.hls.boards.power import KEYS, Power
from bitsmith.hls.config import Device
from bitsmith.hls.estimate.activity import FILE, Switching, default_switching
from bitsmith.hls.estimate.power import cycle_pj, static_mw
from bitsmith.hls.results import Figure

PUBLISHED = Path(__file__).with_name("power_published.toml")
UNITS = {"static_mw": "mW", "static_uw_per_lut": "uW"}


def number(value: float) -> str:
    return f"{value:.4g}"


def span(figure: Figure) -> str:
    return f"{number(figure.value)} ({number(figure.low)} to {number(figure.high)})"


def table(head: str, rows: list[list[str]]) -> None:
    print(head, "|" + "---|" * (head.count("|") - 1), sep="\n")
    for row in rows:
        print("| " + " | ".join(row) + " |")


def switching(row: dict[str, Any]) -> Switching:
    if "lut_activity" in row:
        return Switching(Figure.exact(row["lut_activity"]), Figure.exact(row["ff_activity"]), "known")
    return default_switching(row["backend"])


def compared(row: dict[str, Any]) -> list[str]:
    family = load_family(row["family"])
    lut = row.get("device_lut", 0)
    device = Device(row["device"], row["family"], "", lut, 6, 2 * lut, 0, 0, 18.0, "published design")
    cells = {name: Figure.exact(float(row.get(name, 0))) for name in ("lut", "ff", "dsp", "bram")}
    cycle = cycle_pj(cells, switching(row), family.power_of(device.name))
    static = static_mw(device, family)
    dynamic = Figure(*(pj * row["mhz"] / 1e3 for pj in (cycle.value, cycle.low, cycle.high)))
    power = static + dynamic
    ours, published, unit = power, row.get("power_mw", 0.0), "mW"
    if "energy_uj" in row:
        ours = Figure(*(mw * 1e3 / row["per_s"] for mw in (power.value, power.low, power.high)))
        published, unit = row["energy_uj"], "uJ"
    inside = "yes" if ours.low <= published <= ours.high else "no"
    if "board" in row["scope"]:
        inside = "other scope"
    note = row["source"] + (f"; cells from {row['cells']}" if "cells" in row else "")
    fit = "fit" if row["fit"] else ""
    return [
        row["name"],
        row["scope"],
        f"{number(published)} {unit}",
        f"{span(ours)} {unit}",
        f"{number(static.value)}, {number(dynamic.value)} mW",
        f"{published / ours.value:.2f}",
        inside,
        fit,
        note,
    ]


def coefficients() -> None:
    rows = []
    for name in family_names():
        family = load_family(name)
        rows += _rows(family.title, family.power, KEYS)
        for device, power in family.device_power.items():
            own = tuple(key for key in KEYS if power.sources.get(key) != family.power.sources.get(key))
            rows += _rows(device, power, own)
    table("| of | coefficient | value (bounds) | source |", rows)


def _rows(title: str, power: Power, keys: tuple[str, ...]) -> list[list[str]]:
    found = [(key, getattr(power, key)) for key in keys]
    return [[title, f"`{k}`", f"{span(f)} {UNITS.get(k, 'pJ')}", power.sources[k]] for k, f in found if f is not None]


def activity() -> None:
    data = json.loads(resources.files(bitsmith.hls.estimate).joinpath(FILE).read_text())
    rows = []
    for row in data["designs"]:
        cells = [number(row["cells"][family][kind]) for family in ("xc7", "ecp5") for kind in ("lut", "ff")]
        rtl = [number(row["rtl"][kind]) for kind in ("nets", "registers")]
        rows.append([row["backend"], row["design"], str(row["ii_cycles"]), *rtl, *cells])
    table("| backend | design | II | RTL nets | RTL registers | LUT6 | FF | LUT4 | FF |", rows)
    print()
    rows = [
        [backend, kind, span(Figure(m["median"], m["median"] * m["down"], m["median"] * m["up"])), str(m["n"])]
        for backend, kinds in data["backends"].items()
        for kind, m in kinds.items()
    ]
    table("| backend | figure | median (bounds) | designs |", rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coefficients", action="store_true", help="the families' coefficients with their sources")
    parser.add_argument("--activity", action="store_true", help="the measured switching activity")
    args = parser.parse_args()
    if args.coefficients:
        coefficients()
    elif args.activity:
        activity()
    else:
        published = tomllib.loads(PUBLISHED.read_text())["row"]
        head = "| design | scope | published | ours (bounds) | of it static, dynamic | ratio | inside | | source |"
        table(head, [compared(row) for row in published])


if __name__ == "__main__":
    main()
