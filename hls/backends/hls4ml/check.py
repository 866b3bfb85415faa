"""What stands in the way of an hls4ml project: every reason at once, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterator

from bitsmith.hls.backends.hls4ml.plan import layers_of
from bitsmith.hls.backends.hls4ml.tools import TOOLS, HlsTool
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Problem
from bitsmith.models.ir.ops import QNet, Reshape

EXACT_BITS = 53
"""hls4ml's test bench and emulation carry values as doubles."""
MAX_RANK = 3
MAX_READERS = 7
"""hls4ml copies a stream at most seven times."""
IO = ("io_parallel", "io_stream")
STRATEGIES = ("latency", "resource")
DENSE_ONLY = ("InputLayer", "Dense")


def find_problems(net: QNet, hw: HwConfig) -> list[Problem]:
    """Everything that stands in the way of a project for ``net`` with the choices in ``hw``."""
    found = list(_choices(hw))
    if found:
        return found
    tool, stream = TOOLS[hw.hls_tool], hw.io == "io_stream"
    found += _tool_problems(tool, hw, stream)
    found += _net_problems(net, stream)
    if not found:
        found += _layer_problems(net, tool, stream)
    return found


def _choices(hw: HwConfig) -> Iterator[Problem]:
    for what, value, allowed in (
        ("hls_tool", hw.hls_tool, tuple(TOOLS)),
        ("io", hw.io, IO),
        ("strategy", hw.strategy, STRATEGIES),
    ):
        if value not in allowed:
            yield Problem("(project)", f"{what} is {value!r}", f"choose one of {', '.join(allowed)}")
    if hw.reuse < 1:
        yield Problem("(project)", f"reuse is {hw.reuse}", "give a reuse factor of 1 or more")


def _tool_problems(tool: HlsTool, hw: HwConfig, stream: bool) -> Iterator[Problem]:
    device = hw.board.device
    if not tool.part_for(device.part):
        yield Problem(
            "(project)",
            f"{tool.title} cannot target the {device.part} of board {hw.board.name}",
            "choose a board with an AMD device, or another backend",
        )
    if stream and not tool.streams:
        yield Problem(
            "(project)",
            f"io_stream is not available for {tool.title}: Bitsmith's own layers have no version for its streams",
            "use io_parallel, or hls_tool vitis or vivado",
        )


def _net_problems(net: QNet, stream: bool) -> Iterator[Problem]:
    if all(isinstance(op, Reshape) for op in net.ops[1:]):
        yield Problem(net.output.name, "the net computes nothing", "an HLS project needs at least one op that computes")
    for op in net.ops:
        if len(op.shape) > MAX_RANK:
            yield Problem(op.name, f"shape {op.shape} has {len(op.shape)} axes", f"hls4ml takes at most {MAX_RANK}")
        if op.type.bits > EXACT_BITS:
            yield Problem(
                op.name,
                f"{op.type.bits} bits: hls4ml's emulation carries values as doubles, exact up to {EXACT_BITS} bits",
                "requantize earlier, or use another backend",
            )
        readers = sum(user.inputs.count(op.name) for user in net.users(op.name))
        if stream and readers > MAX_READERS:
            yield Problem(op.name, f"is read {readers} times", f"hls4ml copies a stream to {MAX_READERS} at most")


def _layer_problems(net: QNet, tool: HlsTool, stream: bool) -> Iterator[Problem]:
    try:
        layers = layers_of(net, tool, stream)
    except (OverflowError, ValueError) as error:
        yield Problem(net.name, str(error), "requantize to fewer bits earlier")
        return
    for layer in layers:
        for what, kind in layer.types.items():
            if kind.bits > EXACT_BITS:
                yield Problem(
                    layer.op or layer.name,
                    f"its {what} needs {kind.bits} bits: hls4ml writes parameters as doubles, exact up to {EXACT_BITS}",
                    "use fewer bits in it, or another backend",
                )
        if tool.dense_only and layer.kind not in DENSE_ONLY and not layer.kind.startswith("Bitsmith"):
            yield Problem(
                layer.op or layer.name,
                f"{layer.kind} has no version for {tool.title}",
                "choose hls_tool vitis, vivado, quartus, catapult or oneapi",
            )
