"""A layer of a folded design whose whole matrix is an adder graph with its constants: a pipe, one vector per cycle."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from bitsmith.hls.backends.rtl.folded.form import is_depthwise, work_of
from bitsmith.hls.backends.rtl.folded.line_windows import has_lines
from bitsmith.hls.backends.rtl.folded.parts import Cost, Part
from bitsmith.hls.backends.rtl.folded.windows import window_of
from bitsmith.hls.backends.rtl.names import BANNER
from bitsmith.hls.backends.rtl.render import render
from bitsmith.hls.backends.rtl.unrolled.adder_graph import signed_digits
from bitsmith.hls.backends.rtl.unrolled.check import clock_problems
from bitsmith.hls.backends.rtl.unrolled.costs import FAMILIES, carry_bits, delays_of, usable_ns
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind, Netlist
from bitsmith.hls.backends.rtl.unrolled.timing import Schedule, schedule
from bitsmith.hls.backends.rtl.unrolled.units import linear_unit
from bitsmith.hls.backends.rtl.unrolled.verilog import Signal, unit_text
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Problem
from bitsmith.models.ir import QuantType
from bitsmith.models.ir.intervals import Interval
from bitsmith.models.ir.ops import Conv, Dense, Op, Shape
from bitsmith.models.ir.text import op_details

UNROLLED = "unrolled"
"""``Fold.mult`` of such a layer."""

MOST_DIGITS = 20_000
"""Signed digits of a matrix that is asked for unrolled: the solver takes about a minute."""

OFFERED_DIGITS = 4_000
"""The same of one that is unrolled without being asked for: some seconds."""


@lru_cache(maxsize=256)
def digits_of(op: Dense | Conv) -> int:
    """Signed digits of the matrix."""
    return signed_digits(op.weight)


def unrolled_fold(op: Op, shape: Shape, most: int = MOST_DIGITS) -> tuple[int, int] | None:
    """(outputs, inputs) of the one adder graph of ``op`` with an input of ``shape``; None where it cannot be one."""
    if not isinstance(op, Dense | Conv) or _obstacle(op, shape, most):
        return None
    work = work_of(op)
    return work.outputs, work.inputs


def _obstacle(op: Dense | Conv, shape: Shape, most: int) -> str:
    """Why ``op`` cannot be one adder graph, or nothing."""
    if is_depthwise(op) or work_of(op).groups > 1:
        return "a convolution in groups is not unrolled"
    window = window_of(op, shape)
    if window is not None and window.taps > 1 and not has_lines(window):
        return "its padding is as large as its window"
    if digits_of(op) > most:
        return f"a matrix of {digits_of(op)} signed digits, at most {most} are unrolled"
    return ""


def unrolled_problems(op: Op, shape: Shape, hw: HwConfig) -> list[Problem]:
    """What keeps ``op`` from being unrolled on ``hw``."""
    remedy = "fold it instead: give it pe and simd, or none"
    if not isinstance(op, Dense | Conv):
        return [Problem(op.name, f"only a matrix can be unrolled, not {op.kind}", remedy)]
    text = _obstacle(op, shape, MOST_DIGITS)
    if text:
        return [Problem(op.name, text, remedy)]
    device = hw.board.device
    delays = delays_of(device)
    if delays is None:
        text = f"no delay table for the family {device.family} of {device.name}, so its adders cannot be cut"
        return [Problem(op.name, text, f"{remedy}; or choose a board of one of the families {', '.join(FAMILIES)}")]
    return clock_problems(op, hw, delays)


def unrolled_cost(op: Dense | Conv, x_bits: int) -> Cost:
    """What the adder graph will take, without solving it.

    Adders per signed digit, 0.73 (90 digits) to 0.44 (10,000), and their mean width, 3 to 5 bits above the input's,
    are from 12 random matrices of 2 to 8 bits through the solver: within 15 %; sign matrices take half.
    """
    digits = max(1, digits_of(op))
    bits = digits**0.915 * (x_bits + 4)
    out = op.weight.shape[-1] * op.type.bits
    return Cost(lut=bits + (out if op.bias.any() else 0), ff=0.3 * bits + out)


def graph_pipe(op: Dense | Conv, x: QuantType, span: Interval, name: str, hw: HwConfig) -> Part:
    """The pipe: a vector of all inputs (tap, channel) of type ``x`` in, all sums out, as the modules ``name``...

    ``span`` is that of the op's input by channel.
    """
    delays = delays_of(hw.board.device)
    assert delays is not None, "check comes before"
    work = work_of(op)
    unit = _unit(op, span)
    plan = schedule(unit, 0.0, usable_ns(hw.clock_ns, delays), delays)
    latency = plan.latency + (plan.t_out > 0 or plan.latency == 0)  # the next pipe begins with logic
    source = Signal("x", x.bits, x.signed, work.inputs)
    out = Signal("y", op.type.bits, op.type.signed, work.outputs)
    title = " ".join(f"{op.name}: {op.kind} {op_details(op)}".split())
    inner, primitives = _unit_module(unit, plan, source, out, f"{name}_graph", title)
    head = {"banner": BANNER, "title": title, "module": name, "unit": f"{name}_graph"}
    outer = render("graph_pipe.sv.j2", **head, latency=latency, stages=plan.latency, x=source, y=out)
    return Part(
        module=name,
        params={},
        latency=latency,
        lanes=work.outputs,
        bits=op.type.bits,
        sources=("bitsmith_put_line", *primitives),
        cost=_graph_cost(unit, plan, out.bits * out.size * (latency - plan.latency)),
        texts={f"{name}_graph": inner, name: outer},
    )


def _unit(op: Dense | Conv, span: Interval) -> Netlist:
    work = work_of(op)
    if isinstance(op, Conv):
        span = span.with_zero() if any(a or b for a, b in op.pads) else span
        taps = math.prod(op.kernel)
        span = Interval(np.tile(span.lo, taps), np.tile(span.hi, taps))
    block = (np.arange(work.inputs), op.weight.reshape(work.inputs, work.outputs))
    return linear_unit([block], span, op.bias if op.bias.any() else None)


def _unit_module(
    unit: Netlist, plan: Schedule, source: Signal, out: Signal, name: str, title: str
) -> tuple[str, tuple[str, ...]]:
    """The module of the graph alone, and the library modules that it uses."""
    text = unit_text(unit, plan, [source], out)
    body = render(
        "unit.sv.j2",
        banner=BANNER,
        title=title,
        module=name,
        latency=plan.latency,
        ports=[{"name": source.name, "bits": source.bits * source.size, "note": source.note}],
        out={"bits": out.bits * out.size, "note": out.note},
        tables=text.tables,
        stages=text.stages,
        registers=text.registers,
        outputs=text.outputs,
        partial=[source.name, *text.partial],
    )
    return body, tuple(sorted(text.primitives))


def _graph_cost(unit: Netlist, plan: Schedule, last: int) -> Cost:
    """Full adders and registers."""
    sums = [n for n in unit.nodes if n.kind in (Kind.ADD, Kind.SUB)]
    bits = sum(carry_bits(n, unit.nodes) for n in sums)
    return Cost(lut=float(bits), ff=float(plan.register_bits(unit) + last))
