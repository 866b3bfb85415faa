"""A net as text, one line per op."""

from __future__ import annotations

from bitsmith.models.ir.ops import Add, Conv, Dense, Op, Pool, QNet, Requant, Thresholds
from bitsmith.models.ir.structure import describe


def op_details(op: Op) -> str:
    """The parameters of an op that a reader wants to see."""
    if isinstance(op, Dense | Conv):
        zero = 1.0 - float((op.weight != 0).mean())
        shape = "x".join(map(str, op.weight.shape))
        text = f"{shape} weights {op.weight_type}, {zero:.0%} zero"
        if op.structure is not None:
            text += f", {describe(op.structure)}"
        if isinstance(op, Conv):
            text += f", strides {op.strides}, pads {op.pads}"
            if op.groups > 1:
                text += f", groups {op.groups}"
        return text
    if isinstance(op, Requant):
        return f"{op.rounding} >> {op.shift}, {op.overflow} {op.lo}..{op.hi}"
    if isinstance(op, Thresholds):
        return f"{op.thresholds.shape[1]} levels"
    if isinstance(op, Pool):
        return f"{op.mode} {op.window} strides {op.strides}"
    if isinstance(op, Add):
        return f"factors {op.factors}"
    return ""


def to_text(net: QNet) -> str:
    """The net, one line per op: ``name = kind(inputs) details : type[shape]``."""
    lines = [f"net {net.name} (head {net.head})"]
    for op in net.ops:
        details = op_details(op)
        shape = "x".join(map(str, op.shape))
        call = f"{op.kind}({', '.join(op.inputs)})"
        lines.append(f"  {op.name} = {call}{' ' + details if details else ''} : {op.type}[{shape}]")
    return "\n".join(lines)
