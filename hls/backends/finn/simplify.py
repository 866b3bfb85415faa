"""Constants next to each other become one, as FINN's streamlining has them, so that its layers are ours.

The rules, for a tensor that only one unit reads: two additions are one, two
multiplications are one; a multiplication goes in front of an addition; signs go into the
weights of the product before or behind them, constants into thresholds; a multiplication
by 1 or an addition of 0 goes away; at the input a reshape goes in front of what treats all values
alike, and becomes none.  What is left of a negative multiplication FINN splits into sign
and magnitude.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from bitsmith.hls.backends.finn.units import Affine, Product, Reform, Source, Steps, Unit


def simplify(units: tuple[Unit, ...]) -> tuple[Unit, ...]:
    """The same function with fewer units; names of the values that remain are kept."""
    while True:
        found = _once(units)
        if found is None:
            by_name = {u.name: u for u in units}
            return tuple(part for unit in units for part in _split(unit, by_name))
        units = found


def _once(units: tuple[Unit, ...]) -> tuple[Unit, ...] | None:
    """``units`` after the first rule that applies; None if none does."""
    by_name = {u.name: u for u in units}
    reads = Counter(i for u in units for i in u.inputs)
    for unit in units:
        if isinstance(unit, Source):
            continue
        before = by_name[unit.inputs[0]]
        alone, last = reads[before.name] == 1, unit is units[-1]
        if isinstance(before, Source) and isinstance(unit, Reform) and alone and not last:
            others = (_reading(u, unit.name, before.name) for u in units if u not in (before, unit))
            return (replace(before, shape=unit.shape), *others)
        if not alone or isinstance(before, Source):
            if _changes_nothing(unit) and not last:
                return tuple(_reading(u, unit.name, before.name) for u in units if u is not unit)
            continue
        made = _rule(before, unit, by_name)
        if made is not None:
            place = units.index(before)
            rest = [u for u in units if u is not before and u is not unit]
            return (*rest[:place], *made, *rest[place:])
    return None


def _rule(before: Unit, unit: Unit, by_name: dict[str, Unit]) -> tuple[Unit, ...] | None:
    """What ``before`` and its only reader ``unit`` become; None if that is what they are."""
    if isinstance(unit, Affine):
        return _joined(before, unit, by_name)
    if isinstance(unit, Steps):
        return _compared(before, unit, by_name)
    if isinstance(unit, Product) and unit.kernel is None and _is_sign(before):
        assert isinstance(before, Affine)
        return (replace(unit, inputs=before.inputs, weight=unit.weight * before.constant[:, None]),)
    if isinstance(unit, Reform) and _near_the_input(before, by_name):
        return _reshaped(before, unit)
    return None


def _is_sign(unit: Unit) -> bool:
    return isinstance(unit, Affine) and unit.function == "Mul" and bool((np.abs(unit.constant) == 1).all())


def _reshaped(before: Unit, unit: Reform) -> tuple[Unit, ...] | None:
    """A reshape in front of ``before``, if that treats all values alike."""
    name = f"{unit.name}.reshaped"
    meaning = {"inputs": (name,), "name": unit.name, "op": unit.op, "shape": unit.shape, "exact": unit.exact}
    after: Unit
    if isinstance(before, Steps) and len(before.thresholds) == 1:
        after = replace(before, **meaning)  # type: ignore[arg-type]
    elif isinstance(before, Affine) and (before.constant == before.constant[0]).all():
        constant = np.full(unit.shape[-1], before.constant[0])
        after = replace(before, constant=constant, **meaning)  # type: ignore[arg-type]
    else:
        return None
    return (replace(unit, name=name, inputs=before.inputs, exact=False), after)


def _near_the_input(unit: Unit, by_name: dict[str, Unit]) -> bool:
    """Whether only elementwise units lie between the input and ``unit``: further in, a reshape costs nothing."""
    while isinstance(unit, Steps | Affine):
        unit = by_name[unit.inputs[0]]
    return isinstance(unit, Source)


def _changes_nothing(unit: Unit) -> bool:
    return isinstance(unit, Affine) and bool((unit.constant == (1 if unit.function == "Mul" else 0)).all())


def _reading(unit: Unit, old: str, new: str) -> Unit:
    return replace(unit, inputs=tuple(new if i == old else i for i in unit.inputs)) if old in unit.inputs else unit


def _joined(before: Unit, unit: Affine, by_name: dict[str, Unit]) -> tuple[Unit, ...] | None:
    meaning = {"name": unit.name, "op": unit.op, "lo": unit.lo, "hi": unit.hi, "exact": unit.exact}
    if _changes_nothing(unit):
        return (replace(before, **meaning),)  # type: ignore[arg-type]
    if isinstance(before, Affine) and before.function == unit.function:
        adds = unit.function == "Add"
        constant = before.constant + unit.constant if adds else before.constant * unit.constant
        return (replace(unit, inputs=before.inputs, constant=constant),)
    if unit.function == "Mul" and isinstance(before, Product) and (unit.constant < 0).any():
        return _signed(before, unit)
    if unit.function == "Mul" and isinstance(before, Affine):
        source = by_name[before.inputs[0]]
        ends = np.concatenate([source.lo * unit.constant, source.hi * unit.constant])
        reach = {"lo": int(ends.min()), "hi": int(ends.max())}
        meaning = {**reach, "name": f"{before.name}.scaled", "exact": False}
        first = replace(before, function="Mul", constant=unit.constant, **meaning)  # type: ignore[arg-type]
        constant = before.constant * unit.constant
        return (first, replace(unit, inputs=(first.name,), function="Add", constant=constant))
    return None


def _signed(before: Product, unit: Affine) -> tuple[Unit, ...]:
    """The signs of a multiplication in the weights of the product before it."""
    most = max(abs(before.lo), abs(before.hi))
    name, weight = f"{before.name}.signed", before.weight * np.sign(unit.constant)
    product = replace(before, name=name, weight=weight, lo=-most, hi=most, exact=False)
    return (product, replace(unit, inputs=(name,), constant=np.abs(unit.constant)))


def _compared(before: Unit, unit: Steps, by_name: dict[str, Unit]) -> tuple[Unit, ...] | None:
    """Thresholds of the value before a constant: x + b >= t is x >= t - b, and x * m >= t is x >= ceil(t / m)."""
    if not isinstance(before, Affine) or (before.function == "Mul" and (before.constant <= 0).any()):
        return None
    source, constant = by_name[before.inputs[0]], before.constant[:, None]
    rows = unit.thresholds - constant if before.function == "Add" else -(-unit.thresholds // constant)
    return (replace(unit, inputs=before.inputs, thresholds=np.clip(rows, source.lo, source.hi + 1)),)


def _split(unit: Unit, by_name: dict[str, Unit]) -> tuple[Unit, ...]:
    if not isinstance(unit, Affine) or unit.function != "Mul" or (unit.constant >= 0).all():
        return (unit,)
    magnitude = np.abs(unit.constant)
    if (magnitude == 1).all():
        return (unit,)
    source = by_name[unit.inputs[0]]
    most = max(abs(source.lo), abs(source.hi))
    signs = np.where(unit.constant < 0, -1, 1)
    sign = replace(unit, name=f"{unit.name}.sign", constant=signs, lo=-most, hi=most, exact=False)
    return (sign, replace(unit, inputs=(sign.name,), constant=magnitude))
