"""The rules that every QNet keeps, as one table, checked after every pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np

from bitsmith.models.ir.errors import InvalidNetError
from bitsmith.models.ir.intervals import Interval, infer_interval
from bitsmith.models.ir.ops import (
    Add,
    ArgMax,
    Concat,
    Conv,
    Dense,
    Input,
    Lut,
    Op,
    Pool,
    QNet,
    Requant,
    Reshape,
    Thresholds,
)
from bitsmith.models.ir.shapes import infer_shape
from bitsmith.models.ir.structure import mismatch
from bitsmith.models.ir.types import Overflow, QuantType

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
HEADS = ("none", "softmax", "sigmoid")

Rule = Callable[[QNet], Iterator[str]]


def _names(net: QNet) -> Iterator[str]:
    if len(net.by_name) != len(net.ops):
        names = [op.name for op in net.ops]
        yield f"names must be unique: {sorted({n for n in names if names.count(n) > 1})}"
    for op in net.ops:
        if not NAME.fullmatch(op.name):
            yield f"{op.name}: a name must be letters, digits and underscores, no digit first"


def _order(net: QNet) -> Iterator[str]:
    if not net.ops or not isinstance(net.ops[0], Input):
        yield "the first op must be the Input"
    if sum(isinstance(op, Input) for op in net.ops) > 1:
        yield "there must be one Input only"
    if net.head not in HEADS:
        yield f"head must be one of {HEADS}, not {net.head!r}"
    seen: set[str] = set()
    for op in net.ops:
        missing = [i for i in op.inputs if i not in seen]
        if missing:
            yield f"{op.name}: reads {missing} before they are defined"
        wanted = 0 if isinstance(op, Input) else None if isinstance(op, Add | Concat) else 1
        if (wanted is None and not op.inputs) or (wanted is not None and len(op.inputs) != wanted):
            yield f"{op.name}: a {op.kind} must not have {len(op.inputs)} inputs"
        seen.add(op.name)
    for op in net.ops[:-1]:
        if not net.users(op.name):
            yield f"{op.name}: nobody reads it, and it is not the output"


def _fields(net: QNet) -> Iterator[str]:
    for op in net.ops:
        for problem in _field_problems(op):
            yield f"{op.name}: {problem}"


def _field_problems(op: Op) -> Iterator[str]:
    if isinstance(op, Dense | Conv):
        if not op.weight_type.contains(op.weight):
            yield f"weights {op.weight.min()}..{op.weight.max()} leave their type {op.weight_type}"
        if op.bias.shape != op.weight.shape[-1:]:
            yield f"bias must have shape {op.weight.shape[-1:]}, not {op.bias.shape}"
    if isinstance(op, Requant | Input):
        if op.lo > op.hi:
            yield f"empty range {op.lo}..{op.hi}"
        span = op.hi - op.lo + 1
        if op.overflow is Overflow.WRAP and span & (span - 1):
            yield f"wrap needs a power of two of values, {op.lo}..{op.hi} has {span}"
    if isinstance(op, Requant) and not 0 <= op.shift <= 62:
        yield f"shift must be 0 to 62, not {op.shift}"
    if isinstance(op, Thresholds) and (np.diff(op.thresholds, axis=1) < 0).any():
        yield "thresholds of a channel must ascend"
    if isinstance(op, Pool) and op.mode not in ("max", "sum"):
        yield f"mode must be max or sum, not {op.mode!r}"
    if isinstance(op, Add) and (len(op.factors) != len(op.inputs) or 0 in op.factors):
        yield f"needs one factor other than zero per input, has {op.factors}"
    if isinstance(op, Lut) and op.table.ndim != 1:
        yield "the table must have one axis"


def _channels(net: QNet) -> Iterator[str]:
    for op in net.ops:
        channels = op.shape[-1]
        if op.type.is_per_channel and len(op.type.scales) != channels:
            yield f"{op.name}: {len(op.type.scales)} scales for {channels} channels"
        if isinstance(op, Requant):
            for what, value in (("mult", op.mult), ("add", op.add)):
                if value.shape not in ((), (channels,)):
                    yield f"{op.name}: {what} must have shape () or ({channels},), not {value.shape}"
        if isinstance(op, Thresholds):
            for what, rows in (("thresholds", op.thresholds), ("base", op.base), ("step", op.step)):
                if rows.shape[0] not in (1, channels):
                    yield f"{op.name}: {what} must have 1 or {channels} rows, not {rows.shape[0]}"


def _shapes(net: QNet) -> Iterator[str]:
    for op in net.ops:
        try:
            shape = infer_shape(op, [net[i].shape for i in op.inputs])
        except ValueError as error:
            yield f"{op.name}: {error}"
            continue
        if shape != op.shape:
            yield f"{op.name}: its inputs give shape {shape}, it says {op.shape}"


def _structures(net: QNet) -> Iterator[str]:
    for op in net.ops:
        if isinstance(op, Dense | Conv) and op.structure is not None:
            problem = mismatch(op.structure, op.weight, op.groups if isinstance(op, Conv) else 1)
            if problem:
                yield f"{op.name}: {problem}"


def _scales(net: QNet) -> Iterator[str]:
    for op in net.ops:
        if isinstance(op, Input | Requant | Thresholds | Lut):
            continue  # they define their own scale
        expected = scale_of(op, [net[i].type for i in op.inputs])
        if expected is None:
            yield f"{op.name}: inputs with the scales {[str(net[i].type) for i in op.inputs]} do not meet"
        elif _differs(expected, op.type.scale, op.shape[-1]):
            yield f"{op.name}: its inputs give scale {expected}, it says {op.type.scale}"


def _differs(a: float | tuple[float, ...], b: float | tuple[float, ...], channels: int) -> bool:
    return bool((np.broadcast_to(a, channels) != np.broadcast_to(b, channels)).any())


def scale_of(op: Op, types: list[QuantType]) -> float | tuple[float, ...] | None:
    """Scale that the output of a scale-preserving op must have; None if its inputs do not agree."""
    x = types[0]
    if isinstance(op, Dense | Conv):
        keeps_channels = isinstance(op, Conv) and op.groups == op.weight.shape[-1] and op.weight.shape[-2] == 1
        return times(x.scale, op.weight_type.scale) if keeps_channels or not x.is_per_channel else None
    if isinstance(op, Pool) and op.mode == "sum":
        return op.type.scale  # a sum of n steps may stand for a mean: any scale is the lowering's choice
    if isinstance(op, Add):
        wanted = [times(op.type.scale, abs(f)) for f in op.factors]
        channels = op.shape[-1]
        agree = not any(_differs(t.scale, w, channels) for t, w in zip(types, wanted, strict=True))
        return op.type.scale if agree else None
    if isinstance(op, ArgMax):
        return 1.0 if not x.is_per_channel else None
    if isinstance(op, Concat):
        if len({t.scale for t in types}) == 1 and not x.is_per_channel:
            return x.scale
        return op.type.scale if op.type.is_per_channel else None
    if isinstance(op, Reshape) and x.is_per_channel:
        times_repeated = op.shape[-1] // len(x.scales)
        return x.scales * times_repeated if len(x.scales) * times_repeated == op.shape[-1] else None
    return x.scale


def times(a: float | tuple[float, ...], b: float | tuple[float, ...]) -> float | tuple[float, ...]:
    """Product of two scales, each per tensor or per channel."""
    if isinstance(a, tuple) or isinstance(b, tuple):
        return tuple(float(v) for v in np.atleast_1d(np.asarray(a) * np.asarray(b)))
    return a * b


def _ranges(net: QNet) -> Iterator[str]:
    known: dict[str, Interval] = {}
    for op in net.ops:
        try:
            span = infer_interval(op, [known[i] for i in op.inputs], [net[i].shape for i in op.inputs])
        except OverflowError as error:
            yield f"{op.name}: {error}"
            return
        known[op.name] = span
        if not (op.type.contains(span.min) and op.type.contains(span.max)):
            yield f"{op.name}: can hold {span.min}..{span.max}, its type {op.type} cannot"


RULES: tuple[tuple[str, Rule], ...] = (
    ("names are unique identifiers", _names),
    ("one Input first, definitions before uses, nothing unused, the right number of inputs", _order),
    ("parameters are well formed, weights fit their type", _fields),
    ("per-channel parameters suit the channels", _channels),
    ("shapes follow from the inputs", _shapes),
    ("a structure says the same as the plain weight", _structures),
    ("scales follow from the inputs", _scales),
    ("no value can leave its type", _ranges),
)


def problems(net: QNet) -> list[str]:
    """Everything wrong with ``net``; later rules assume the earlier ones, so the first broken rule ends it."""
    for title, rule in RULES:
        found = list(rule(net))
        if found:
            return [f"{text} (rule: {title})" for text in found]
    return []


def verify(net: QNet) -> QNet:
    """``net`` itself; InvalidNetError listing every problem if it breaks a rule."""
    found = problems(net)
    if found:
        raise InvalidNetError(f"net {net.name} is not valid:\n  " + "\n  ".join(found))
    return net
