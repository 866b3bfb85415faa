"""Which signals of our own SystemVerilog are registers, and which come out of logic.

A simulation names a net once for every module that it passes through.  Counted is
each where it is made: a register, or an assignment with an operator in it (a
slice, a concatenation or another name for a net is wiring).  This reads the
style of the RTL library and of the generators, not the whole language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|\(\*.*?\*\)", re.DOTALL)
_LOOP = re.compile(r"\bfor\s*\([^()]*(?:\([^()]*\)[^()]*)*\)")
_MODULE = re.compile(r"\bmodule\s+(\w+)(.*?)\bendmodule\b", re.DOTALL)
_INDEX = r"(?:\s*\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\])*"
_TARGET = rf"(\{{[^{{}}]*\}}|\w+){_INDEX}"
_CLOCKED = re.compile(rf"(?:;|\bbegin(?:\s*:\s*\w+)?|\belse|\)|:)\s*{_TARGET}\s*<=(?!=)")
_ASSIGNED = re.compile(rf"\bassign\s+{_TARGET}\s*=([^;]*);")
_DECLARED = re.compile(rf"\b(?:wire|logic)\b(?:\s+signed)?{_INDEX}\s*(\w+)\s*=([^;]*);")
_COMBINATIONAL = re.compile(r"\balways_comb\b(.*?)(?=\balways|\bassign\b|\bendgenerate\b|\Z)", re.DOTALL)
_BLOCKING = re.compile(rf"(?:;|\bbegin(?:\s*:\s*\w+)?|\belse|\)|:|\A)\s*{_TARGET}\s*=(?!=)")
_CAST = re.compile(r"\b\w+'(?=\()|'")
_PARAMETERS = re.compile(r"\([A-Z0-9_+\-*/ ]+\)")  # sizes, in capitals: no signals
_CONSTANT_SHIFT = re.compile(r"<<<?\s*\d+|>>>?\s*\d+")
_OPERATOR = re.compile(r"[+\-*/&|^~!<>?]|==")


@dataclass(frozen=True)
class Signals:
    """One module: its registers, its signals out of logic, and the modules of its instances by their names."""

    registers: frozenset[str]
    logic: frozenset[str]
    instances: dict[str, str]


def read_signals(sources: Iterable[Path]) -> dict[str, Signals]:
    """The modules in ``sources`` by name."""
    bodies: dict[str, str] = {}
    for path in sources:
        text = _LOOP.sub(" begin ", _COMMENT.sub(" ", path.read_text()))
        bodies |= {found[1]: found[2] for found in _MODULE.finditer(text)}
    return {name: _signals(body, bodies) for name, body in bodies.items()}


def _signals(body: str, modules: Iterable[str]) -> Signals:
    registers = {name for found in _CLOCKED.finditer(body) for name in _names(found[1])}
    logic = set()
    for pattern in (_ASSIGNED, _DECLARED):
        for found in pattern.finditer(body):
            if _computes(found[2]):
                logic |= set(_names(found[1]))
    for block in _COMBINATIONAL.finditer(body):
        logic |= {name for found in _BLOCKING.finditer(block[1]) for name in _names(found[1])}
    used = {name for name in registers | logic if not name.startswith("unused")}
    return Signals(frozenset(registers & used), frozenset((logic - registers) & used), _instances(body, set(modules)))


def _names(target: str) -> list[str]:
    """The signals on the left of an assignment: one, or those of a concatenation."""
    return re.findall(r"\b[A-Za-z_]\w*", re.sub(r"\[[^\]]*\]", "", target))


def _computes(expression: str) -> bool:
    """Whether an expression is more than wiring: slices, concatenations, casts and constant shifts are wiring."""
    plain = expression
    while (shorter := re.sub(r"\[[^\[\]]*\]", "", plain)) != plain:
        plain = shorter
    return bool(_OPERATOR.search(_CONSTANT_SHIFT.sub("", _PARAMETERS.sub("", _CAST.sub("", plain)))))


def _instances(body: str, modules: set[str]) -> dict[str, str]:
    found = {}
    for word in re.finditer(r"\b(\w+)\s*(?=#\s*\(|\w+\s*\()", body):
        if word[1] not in modules:
            continue
        rest = body[word.end() :]
        if rest.startswith("#"):
            rest = rest[_after_brackets(rest) :]
        if name := re.match(r"\s*(\w+)\s*\(", rest):
            found[name[1]] = word[1]
    return found


def _after_brackets(text: str) -> int:
    """The place behind the first pair of round brackets."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == ")" and not depth:
            return place + 1
    return len(text)
