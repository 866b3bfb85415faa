"""The boards and their chips: one TOML file per board, one ``devices-*.toml`` per family, read here.

``bram`` and ``dsp`` count what the family's data sheet counts; each file says
what that is, and every number stands beside its source.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from bitsmith.hls.boards.power import Power, read_power
from bitsmith.hls.config import Board, Device
from bitsmith.hls.results import Figure
from bitsmith.models.ir.errors import InputError

_DEVICES = "devices-"


@dataclass(frozen=True)
class Family:
    """What the chips of one family share.  Ranges are models, not measurements; ``sources`` says what they rest on."""

    name: str
    title: str
    lut_name: str  # what ``Device.lut`` counts
    bram_name: str  # what ``Device.bram`` counts
    max_mhz: float  # no clock of this family is faster
    fmax_factor: Figure  # reached clock over the one that the plan promises
    sources: dict[str, str]
    power: Power  # of a device without numbers of its own
    device_power: Mapping[str, Power]  # of those with some

    def power_of(self, device: str) -> Power:
        """The power coefficients of the chip called ``device``."""
        return self.device_power.get(device, self.power)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__name__).joinpath(f"{name}.toml").read_text())


def _files() -> list[str]:
    names = (entry.name for entry in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def board_names() -> list[str]:
    """Every board's name, in alphabetical order."""
    return [name for name in _files() if not name.startswith(_DEVICES)]


def family_names() -> list[str]:
    """Every device family's name, in alphabetical order."""
    return [name.removeprefix(_DEVICES) for name in _files() if name.startswith(_DEVICES)]


@cache
def load_family(name: str) -> Family:
    """The coefficients of the family ``name`` (``Device.family``)."""
    assert name in family_names(), f"no file describes the family {name}"
    file = _read(_DEVICES + name)
    data = dict(file["family"])
    shared = data.pop("power")
    own = {chip: read_power(shared, table["power"]) for chip, table in file["device"].items() if "power" in table}
    ranges = {key: Figure(value[1], value[0], value[2]) for key, value in data.items() if isinstance(value, list)}
    return Family(**{**data, **ranges, "name": name}, power=read_power(shared), device_power=own)


def _chips() -> dict[str, tuple[str, dict[str, Any]]]:
    chips = {}
    for family in family_names():
        for name, numbers in _read(_DEVICES + family)["device"].items():
            chips[name] = (family, {key: value for key, value in numbers.items() if key != "power"})
    return chips


def _board(name: str, chips: dict[str, tuple[str, dict[str, Any]]]) -> Board:
    data = _read(name)
    chip = data.pop("device")
    family, numbers = chips[chip]
    return Board(name=name, device=Device(name=chip, family=family, part=data.pop("part"), **numbers), **data)


def load_board(name: str) -> Board:
    """The board called ``name``; InputError offering the nearest names if there is none."""
    names = board_names()
    if name not in names:
        near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else "see bitsmith boards"
        raise InputError(f"there is no board {name!r}; {hint}")
    return _board(name, _chips())


def boards() -> list[Board]:
    """Every board, in alphabetical order."""
    chips = _chips()
    return [_board(name, chips) for name in board_names()]
