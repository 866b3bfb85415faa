"""Reads SAIF, the Switching Activity Interchange Format (IEEE 1801, annex), as Verilator writes it: line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bitsmith.models.ir.errors import ToolError

_INSTANCE = re.compile(r"\s*\(INSTANCE (\S+)\s*$")
_NET = re.compile(r"\s*\((\S+) \(T0 \d+\) \(T1 \d+\) .*\(TC (\d+)\)\)\s*$")
_CLOSED = re.compile(r"\s*\)\s*$")
_BIT = re.compile(r"(.*?)\\\[(-?\d+)\\\]$")


@dataclass(frozen=True)
class Toggles:
    """One bit of one signal: the scopes that it stands in (outermost first), its name, and its changes of value."""

    scope: tuple[str, ...]
    name: str
    bit: int  # 0 where the signal has one bit
    count: int


def read_saif(path: Path) -> Iterator[Toggles]:
    """Every bit of every signal in the file; ToolError if the file is not SAIF or is cut off.

    A bit that is 1 at the first time has one change too many in Verilator's count,
    since all signals are taken to begin at 0: see :func:`read_steps`.
    """
    scopes: list[str] = []
    depth: list[str] = []  # what each open bracket is: an instance's name, or NET
    with path.open() as file:
        if "SAIFILE" not in file.readline() + file.readline():
            raise ToolError(f"{path} is no SAIF file")
        for line in file:
            if net := _NET.match(line):
                bit = _BIT.match(net[1])
                name, place = (bit[1], int(bit[2])) if bit else (net[1], 0)
                yield Toggles(tuple(scopes), name, place, int(net[2]))
            elif instance := _INSTANCE.match(line):
                scopes.append(instance[1].replace("\\", ""))
                depth.append(scopes[-1])
            elif line.strip() == "(NET":
                depth.append("(NET")
            elif _CLOSED.match(line):
                if not depth:
                    return  # the bracket of the file itself
                if depth.pop() != "(NET":
                    scopes.pop()
    raise ToolError(f"{path} is cut off; run the simulation again")


def read_steps(first: Path, all_of_them: Path) -> Iterator[Toggles]:
    """Changes between the times of a run, exactly: the run's file less that of its first time alone.

    ToolError if the two are not of the same design.
    """
    for begin, whole in zip(read_saif(first), read_saif(all_of_them), strict=True):
        if (begin.scope, begin.name, begin.bit) != (whole.scope, whole.name, whole.bit):
            raise ToolError(f"{first} and {all_of_them} are of two designs")
        yield Toggles(whole.scope, whole.name, whole.bit, whole.count - begin.count)
