"""What the hls4ml backend refuses: every reason at once, each with a remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bitsmith.hls.backends.hls4ml.backend import Hls4ml
from bitsmith.hls.config import Board, Device, HwConfig
from bitsmith.models.ir import NetBuilder, QNet, QuantType

I5 = QuantType(5, True)


def hw(part: str = "xc7a35ticsg324-1L", **choices: object) -> HwConfig:
    device = Device("chip", "family", part, 1, 6, 1, 1, 1, 18.0, "test")
    config = HwConfig(Board("board", "Board", device, 100.0, "E3", "tool", "test"), 100.0, backend="hls4ml")
    return replace(config, **choices)  # type: ignore[arg-type]


def small() -> QNet:
    b = NetBuilder("small")
    return b.build(b.requant("act", b.input("x", (2,), I5), 1.0, -8, 7, 1))


def texts(net: QNet, config: HwConfig) -> str:
    return "\n".join(str(p) for p in Hls4ml().check(net, config))


def test_choices_are_all_checked_at_once() -> None:
    found = texts(small(), hw(hls_tool="bambu", io="io_serial", strategy="fast", reuse=0))
    for word in ("'bambu'", "'io_serial'", "'fast'", "reuse is 0", "vitis", "io_stream", "latency"):
        assert word in found


@pytest.mark.parametrize("tool", ["vitis", "vivado"])
def test_amd_tools_want_an_amd_part(tool: str) -> None:
    assert "cannot target the ice40up5k of board board" in texts(small(), hw("ice40up5k", hls_tool=tool))


@pytest.mark.parametrize("tool", ["quartus", "catapult", "oneapi"])
def test_other_tools_fall_back_to_their_own_part(tool: str) -> None:
    assert Hls4ml().check(small(), hw("ice40up5k", hls_tool=tool)) == []


@pytest.mark.parametrize("tool", ["quartus", "catapult", "oneapi", "libero"])
def test_streams_are_for_amd_tools_only(tool: str) -> None:
    assert "io_stream is not available" in texts(small(), hw(hls_tool=tool, io="io_stream"))


def test_libero_takes_dense_layers_and_ours_only() -> None:
    b = NetBuilder("dense")
    x = b.reshape("flat", b.input("x", (2, 1), I5), (2,))
    x = b.requant("act", b.dense("fc", x, [[1], [2]]), 1.0, -8, 7, 1)
    assert Hls4ml().check(b.build(x), hw(hls_tool="libero")) == []
    b = NetBuilder("conv")
    conv = b.build(b.conv("conv", b.input("x", (4, 1), I5), [[[1]], [[2]]]))
    assert "conv: Conv1D has no version for Microchip SmartHLS" in texts(conv, hw(hls_tool="libero"))


def test_what_is_wrong_with_a_net_is_listed_together() -> None:
    b = NetBuilder("bad")
    x = b.input("x", (2, 2, 2, 2), QuantType(30, True))
    wide = b.requant("wide", x, 1.0, -(2**58), 2**58 - 1, 0, mult=2**28)
    parts = [b.requant(f"part{k}", wide, 1.0, -8, 7, 50) for k in range(8)]
    found = texts(b.build(b.concat("all", parts, 1.0)), hw(io="io_stream"))
    assert "x: shape (2, 2, 2, 2) has 4 axes" in found
    assert "wide: 58 bits" in found
    assert "wide: is read 8 times" in found


def test_seven_readers_of_a_stream_are_fine() -> None:
    b = NetBuilder("seven")
    x = b.input("x", (2,), I5)
    net = b.build(b.concat("all", [b.requant(f"part{k}", x, 1.0, -8, 7, 1) for k in range(7)], 1.0))
    assert Hls4ml().check(net, hw(io="io_stream")) == []


def test_a_net_that_computes_nothing() -> None:
    b = NetBuilder("nothing")
    assert "computes nothing" in texts(b.build(b.reshape("flat", b.input("x", (2, 2), I5), (4,))), hw())


def test_a_parameter_that_a_double_cannot_hold() -> None:
    b = NetBuilder("wide")
    x = b.requant("act", b.input("x", (2,), I5), 1.0, -8, 7, 55, add=2**57 + 1)
    assert "act: its add needs 58 bits" in texts(b.build(x), hw())
