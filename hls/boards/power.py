"""What a chip takes: its static power, and the energy of each thing that its logic does.

Read from ``[family.power]`` of a family's file; ``[device.<name>.power]`` gives a chip numbers
of its own, in whole or in part.  Every number is a range and has a source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from bitsmith.hls.results import Figure

UNVERIFIED = "memory, unverified"
"""How the source of a number begins that nobody has read again; such numbers have wide bounds."""


@dataclass(frozen=True)
class Power:
    """Energies in picojoules, at room temperature and the usual core voltage.  ``sources`` has an entry per number.

    ``lut_pj`` and ``ff_pj`` are for one change of an output with the net behind it, the others for one clock
    cycle: of a flip-flop's share of the clock network, of the network's trunk, of a block in use.
    """

    static_uw_per_lut: Figure  # of the whole device, over its LUTs; for devices without ``static_mw``
    lut_pj: Figure
    ff_pj: Figure
    ff_clock_pj: Figure
    clock_pj: Figure
    dsp_pj: Figure
    bram_pj: Figure
    sources: Mapping[str, str]
    static_mw: Figure | None = None  # of this device


KEYS = tuple(f.name for f in fields(Power) if f.name != "sources")


def read_power(table: Mapping[str, Any], own: Mapping[str, Any] | None = None) -> Power:
    """``[family.power]``, with a chip's ``own`` numbers in place of the family's where there are some."""
    ranges: dict[str, Figure] = {}
    sources: dict[str, str] = {}
    for part in (table, own or {}):
        found = {key: value for key, value in part.items() if key != "sources"}
        assert set(found) <= set(KEYS), f"power coefficients that nobody reads: {set(found) - set(KEYS)}"
        assert set(found) == set(part["sources"] if found else ()), f"a source is missing or too many: {set(found)}"
        for key, (low, value, high) in found.items():
            assert 0 <= low <= value <= high, f"{key} is no range: {low}, {value}, {high}"
            ranges[key] = Figure(value, low, high)
            sources[key] = part["sources"][key]
    missing = set(KEYS) - {"static_mw"} - set(ranges)
    assert not missing, f"power coefficients are missing: {missing}"
    return Power(**ranges, sources=sources)
