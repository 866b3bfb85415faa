from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from bitsmith.hls.activity import measure_activity, measure_cells
from bitsmith.hls.backends.base import read_manifest
from bitsmith.hls.backends.rtl.folded.backend import RtlFolded
from bitsmith.hls.backends.rtl.unrolled.backend import RtlUnrolled
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.activity import (
    CLOSEST,
    FOREIGN_BACKEND,
    HIGHEST,
    OTHER_NETS,
    Activity,
    default_switching,
    measured_switching,
)
from bitsmith.hls.tools import verilator
from bitsmith.hls.tools.activity import Load, count_toggles
from bitsmith.hls.tools.saif import Toggles, read_saif, read_steps
from bitsmith.hls.tools.sv_signals import read_signals
from bitsmith.models.ir import InputError, ToolError, random_inputs

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "conformance"))
from nets import NETS

needs_verilator = pytest.mark.skipif(verilator.find_verilator() is None, reason="verilator is not installed")

# A design with the ports of a project: an 8-bit counter, a pipe of two registers, logic between them, a memory.
DESIGN = """
module toggler (
    input  logic aclk, input logic aresetn,
    input  logic [7:0] s_axis_tdata, input logic s_axis_tvalid, output logic s_axis_tready, input logic s_axis_tlast,
    output logic [7:0] m_axis_tdata, output logic m_axis_tvalid, input logic m_axis_tready, output logic m_axis_tlast
);
  logic [7:0] count, first, second;
  logic [7:0] differs;
  logic [7:0] memory[4];
  always_ff @(posedge aclk) begin
    if (!aresetn) count <= '0;
    else count <= count + 8'd1;
    first <= s_axis_tdata;
    second <= first;
    memory[count[1:0]] <= first;
  end
  assign differs = first ^ second;
  assign m_axis_tdata = second;
  assign s_axis_tready = 1'b1;
  assign m_axis_tvalid = 1'b1;
  assign m_axis_tlast = s_axis_tlast & s_axis_tvalid & m_axis_tready;
endmodule
"""


def toggles(tmp_path: Path, beats: list[int], warm_up: int, cycles: int) -> dict[tuple[str, int], int]:
    source = tmp_path / "toggler.sv"
    source.write_text(DESIGN)
    load = Load(np.array(beats, np.uint8).reshape(-1, 1, 1), warm_up, cycles)
    found = count_toggles([source], [], "toggler", load, tmp_path / "activity")
    return {(t.name, t.bit): t.count for t in found if t.scope == ("TOP", "toggler")}


@needs_verilator
def test_counter_and_pipe_by_hand(tmp_path: Path) -> None:
    # Input 0x0f, 0x00, 0x0f, ...: the low four bits of the pipe change every cycle, the others never.
    # The counter is 10 at the first of 65 looks and 74 at the last: bit b changes whenever a multiple of 2^b is
    # reached, so 64 / 2^b times, and bit 6 once (at 64), bit 7 never.
    seen = toggles(tmp_path, [0x0F, 0x00], warm_up=10, cycles=64)
    for bit in range(8):
        assert seen["first", bit] == seen["second", bit] == (64 if bit < 4 else 0)
        assert seen["differs", bit] == 0  # always 0x0f: the two registers are never alike
        assert seen["count", bit] == (64, 32, 16, 8, 4, 2, 1, 0)[bit]
    assert seen["s_axis_tready", 0] == 0  # constant one: not a change, though SAIF begins at zero
    assert not any(name == "memory" for name, _ in seen)


@needs_verilator
def test_changes_from_one_cycle_to_the_next(tmp_path: Path) -> None:
    # Four beats in turn, 0 1 3 7: bits 0 and 1 and 2 each rise once and fall once in four cycles.
    seen = toggles(tmp_path, [0, 1, 3, 7], warm_up=4, cycles=40)
    assert [seen["first", bit] for bit in range(4)] == [20, 20, 20, 0]
    # first ^ second: 0^7, 1^0, 3^1, 7^3 = 7, 1, 2, 4: bit 0 is 1 1 0 0, bit 1 is 1 0 1 0, bit 2 is 1 0 0 1
    assert [seen["differs", bit] for bit in range(3)] == [20, 40, 20]


def test_registers_and_logic_of_a_module(tmp_path: Path) -> None:
    source = tmp_path / "parts.sv"
    source.write_text(
        DESIGN
        + """
module outer #(parameter int W = 4) (input logic clk, input logic [W-1:0] x, output logic [W:0] y);
  wire [3:0] slice = x[0+:4];  // a + b in a comment
  wire [3:0] wide = 5'(slice) << 2;
  wire [4:0] sum = 5'(slice) + 5'(wide);
  logic [W-1:0] a, b;
  logic spare, unused_bits;
  assign {a, b} = {x[W-1:0], {(W - 2) {sum[0]}}};
  assign unused_bits = ^x;
  always_comb begin
    spare = 1'b0;
    for (int i = 0; i <= 3; i++) spare = spare | x[i];
  end
  if (W <= 4) begin : g_small
    always_ff @(posedge clk) if (spare) y <= sum; else y[W:1] <= a;
  end
  toggler #(.DEPTH((W + 1) * 2)) inner (.aclk(clk));
  toggler plain (.aclk(clk));
endmodule
"""
    )
    modules = read_signals([source])
    assert modules["toggler"].registers == {"count", "first", "second", "memory"}
    assert modules["toggler"].logic == {"differs", "m_axis_tlast"}
    assert modules["outer"].registers == {"y"}
    assert modules["outer"].logic == {"sum", "spare"}
    assert modules["outer"].instances == {"inner": "toggler", "plain": "toggler"}


SAIF = r"""// Generated by verilated_saif
(SAIFILE
(SAIFVERSION "2.0")
(DURATION 31)
 (INSTANCE TOP
  (NET
   (clk (T0 16) (T1 15) (TZ 0) (TX 0) (TB 0) (TC 31))
  )
  (INSTANCE lane[1]
   (NET
    (q\[3\] (T0 17) (T1 14) (TZ 0) (TX 0) (TB 0) (TC 14))
   )
  )
 )
)
"""


def test_saif_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.saif"
    path.write_text(SAIF)
    assert list(read_saif(path)) == [Toggles(("TOP",), "clk", 0, 31), Toggles(("TOP", "lane[1]"), "q", 3, 14)]
    first = tmp_path / "first.saif"
    first.write_text(SAIF.replace("(TC 14)", "(TC 1)").replace("(TC 31)", "(TC 0)"))
    assert [t.count for t in read_steps(first, path)] == [31, 13]


def test_saif_that_is_cut_off_or_no_saif(tmp_path: Path) -> None:
    path = tmp_path / "a.saif"
    path.write_text(SAIF[:-10])
    with pytest.raises(ToolError, match="cut off"):
        list(read_saif(path))
    path.write_text("nothing\n")
    with pytest.raises(ToolError, match="no SAIF"):
        list(read_saif(path))
    other = tmp_path / "b.saif"
    path.write_text(SAIF)
    other.write_text(SAIF.replace("clk", "clock"))
    with pytest.raises(ToolError, match="two designs"):
        list(read_steps(path, other))


@needs_verilator
@pytest.mark.parametrize("backend", [RtlUnrolled(), RtlFolded()], ids=lambda b: b.name)
def test_activity_of_a_project(tmp_path: Path, backend) -> None:
    net = NETS["dense"]()
    hw = HwConfig(load_board("arty-a7-100t"), 100.0, backend.name)
    backend.emit(net, hw, tmp_path / "ip", random_inputs(net, 4, 0))
    x = random_inputs(net, 32, 0)
    found = measure_activity(tmp_path / "ip", x)
    assert 0.05 < found.nets < 1 and 0.05 < found.registers < 1
    assert found.net_bits > found.register_bits > 0
    assert found.cycles >= 300
    assert found == measure_activity(tmp_path / "ip", x)  # the same again
    still = measure_activity(tmp_path / "ip", x[:1])
    assert still.nets < found.nets  # one row over and over: less changes
    if backend.name == "rtl-unrolled":
        assert still.nets == still.registers == 0.0  # one beat per row: nothing changes at all


@needs_verilator
@pytest.mark.nightly
@pytest.mark.parametrize(("family", "device"), [("xc7", "xc7a100t"), ("ecp5", "lfe5u-85f")])
def test_cells_of_the_netlist_change_about_as_often_as_the_rtl(tmp_path: Path, family, device) -> None:
    from bitsmith.hls.tools.yosys import map_flat

    net = NETS["dense"]()
    hw = HwConfig(load_board("arty-a7-100t"), 100.0, "rtl-unrolled")
    project = tmp_path / "ip"
    RtlUnrolled().emit(net, hw, project, random_inputs(net, 4, 0))
    x = random_inputs(net, 64, 0)
    sources = sorted((project / "rtl").glob("*.sv"))
    netlist = map_flat(sources, read_manifest(project)["top"], family, device, True, tmp_path)
    rtl, cells = measure_activity(project, x), measure_cells(project, netlist, family, tmp_path / "cells", x)
    assert cells.cycles == rtl.cycles and cells.luts > 200 and cells.ffs > 100
    assert 0.7 < cells.lut / rtl.nets < 1.4 and 0.7 < cells.ff / rtl.registers < 1.4


def test_a_project_without_rtl_is_refused(tmp_path: Path) -> None:
    (tmp_path / "project.json").write_text('{"backend": "qonnx"}')
    with pytest.raises(InputError, match=re.escape("--backend rtl-unrolled or rtl-folded")):
        measure_activity(tmp_path)


@pytest.mark.parametrize("backend", CLOSEST)
def test_default_activity_is_bounded_and_says_where_it_is_from(backend) -> None:
    found = default_switching(backend)
    for figure in (found.lut, found.ff):
        assert 0 < figure.low < figure.value < figure.high <= HIGHEST
    own = default_switching(CLOSEST[backend])
    if backend == CLOSEST[backend]:
        assert "wider" not in found.source
    else:
        assert found.lut.value == own.lut.value and found.lut.low == pytest.approx(
            own.lut.value * (own.lut.low / own.lut.value) ** (FOREIGN_BACKEND / OTHER_NETS)
        )
        assert "wider bounds" in found.source


def test_measured_activity_is_narrower_than_the_default() -> None:
    default = default_switching("rtl-unrolled")
    found = measured_switching(Activity(0.3, 0.2, 1000, 100, 300, "Verilator 5"), "rtl-unrolled")
    assert found.lut.high / found.lut.low < default.lut.high / default.lut.low
    assert found.source == "activity of this design in Verilator 5, 300 cycles at full load"
