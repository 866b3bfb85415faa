from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from bitsmith.hls.boards import load_board
from bitsmith.hls.synth import REST, layer_luts
from bitsmith.hls.synth import synthesize as full_synthesis
from bitsmith.hls.tools.cells import TABLES, Hierarchy, Used, breakdown, used, weigh
from bitsmith.hls.tools.yosys import run_yosys, status, synth_command
from bitsmith.models.ir import InputError, ToolError

FC = """
module demo_fc (input logic clk, input logic [7:0] a, b, output logic [8:0] y);
  always_ff @(posedge clk) y <= 9'(a) + 9'(b);
endmodule
"""
MASK = """
module demo_mask (input logic clk, input logic [8:0] x, output logic [7:0] y);
  always_ff @(posedge clk) y <= x[8] ? 8'd0 : x[7:0];
endmodule
"""
TOP = """
module demo_core (input logic clk, input logic [7:0] a, b, output logic [7:0] y);
  logic [8:0] s;
  demo_fc fc (.clk, .a, .b, .y(s));
  demo_mask mask (.clk, .x(s), .y);
endmodule
"""


def synthesize(folder, board):
    """Maps and counts; the whole of it is tested in test_open_synthesis.py."""
    return full_synthesis(folder, board, area_only=True)


def write_project(folder: Path, **sources: str) -> Path:
    """A project of three modules; ``sources`` replace the text of a module."""
    texts = {"demo_fc": FC, "demo_mask": MASK, "demo_core": TOP, **sources}
    (folder / "rtl").mkdir()
    for name, text in texts.items():
        (folder / "rtl" / f"{name}.sv").write_text(text)
    manifest = {
        "backend": "rtl-unrolled",
        "top": "demo_core",
        "rtl": [f"rtl/{name}.sv" for name in texts],
        "modules": {"fc": "demo_fc", "mask": "demo_mask"},
    }
    (folder / "project.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def artix(tmp_path_factory):
    folder = write_project(tmp_path_factory.mktemp("artix"))
    return folder, synthesize(folder, load_board("arty-a7-35t"))


def test_counts_of_a_small_design(artix):
    _, report = artix
    # An 8-bit adder with carry out: a LUT per bit on the carry chain, at most one more to take the carry out.
    # The mask: every one of 8 bits is x & ~sign, which goes into the synchronous reset of its register.
    assert 8 <= report.lut <= 9
    assert (report.ff, report.dsp, report.bram) == (17, 0, 0)
    assert report.fits is True
    assert report.layers["fc"] in (8, 9) and report.layers[REST] == 0
    assert list(report.layers) == ["fc", "mask", REST]


def test_what_was_not_done_is_said(artix):
    _, report = artix
    assert report.fmax_mhz is None and report.bitstream is None
    assert "does not place and route" in report.sources["fmax_mhz"]
    assert "LUTs and carry blocks between registers" in report.sources["fmax_mhz"]
    assert report.netlist_exact is None and report.place_and_route is None and report.tools == {"yosys": report.version}
    assert "CARRY4" in report.sources["not counted"]
    assert "-nodsp" in report.sources["command"]


def test_version_comes_from_yosys_and_the_log_is_kept(artix):
    folder, report = artix
    assert report.tool == "yosys"
    assert (folder / "synth" / "yosys.log").read_text().startswith(f"Yosys {report.version} ")
    assert {"yosys.ys", "flat.json", "hierarchical.json"} <= {p.name for p in (folder / "synth").iterdir()}


# The small design again: every family builds the same registers.
@pytest.mark.parametrize("board", ["icebreaker", pytest.param("hx8k-breakout", marks=pytest.mark.nightly)])
def test_ice40(tmp_path, board):
    report = synthesize(write_project(tmp_path), load_board(board))
    assert (report.ff, report.dsp, report.bram) == (17, 0, 0)
    assert 8 <= report.lut <= 10


@pytest.mark.nightly
@pytest.mark.parametrize("board", ["ulx3s-85f", "tang-nano-9k", "tang-nano-20k", "zcu102"])
def test_other_families(tmp_path, board):
    report = synthesize(write_project(tmp_path), load_board(board))
    assert (report.ff, report.dsp, report.bram) == (17, 0, 0)
    assert 8 <= report.lut <= 20


def test_damaged_source_ends_in_the_last_lines(tmp_path):
    project = write_project(tmp_path, demo_mask="module demo_mask (input logic clk; endmodule\n")
    with pytest.raises(ToolError, match=r"(?s)failed with status 1.*demo_mask\.sv.*syntax error"):
        synthesize(project, load_board("icebreaker"))


def test_missing_module_is_an_error(tmp_path):
    project = write_project(tmp_path, demo_mask="module other; endmodule\n")
    with pytest.raises(ToolError, match="demo_mask"):
        synthesize(project, load_board("icebreaker"))


def test_missing_yosys_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not status().usable
    with pytest.raises(ToolError, match=r"pip install 'bitsmith\[rtl\]'"):
        run_yosys(["help"], tmp_path, "x")


def test_status_names_the_installed_version():
    assert status().usable and status().version


def test_family_without_open_synthesis(tmp_path):
    with pytest.raises(ToolError, match="no open synthesis for the family cyclonev"):
        synthesize(write_project(tmp_path), load_board("de10-nano"))


def test_folder_without_rtl(tmp_path):
    with pytest.raises(InputError, match="not a project"):
        synthesize(tmp_path, load_board("icebreaker"))
    (tmp_path / "project.json").write_text('{"backend": "hls4ml"}')
    with pytest.raises(InputError, match="holds no RTL"):
        synthesize(tmp_path, load_board("icebreaker"))


def test_incomplete_project(tmp_path):
    project = write_project(tmp_path)
    (project / "rtl" / "demo_fc.sv").unlink()
    with pytest.raises(InputError, match=r"demo_fc\.sv missing; emit it anew"):
        synthesize(project, load_board("icebreaker"))


def test_commands_are_out_of_context():
    assert synth_command("xc7", "xc7a35t", "core", False) == (
        "synth_xilinx -family xc7 -noiopad -noclkbuf -top core -flatten -nodsp -nobram -nolutram"
    )
    assert "-nodsp" not in synth_command("xc7", "xc7a35t", "core", True)
    assert synth_command("ice40", "ice40up5k", "core", True).endswith("-device u -dsp")
    assert synth_command("ice40", "ice40hx8k", "core", True).endswith("-device hx")
    assert synth_command("gowin", "gw2ar-18", "core", True).endswith("-family gw2a")


STAT = {
    "modules": {
        "\\top": {"num_cells_by_type": {"\\mac": 2, "LUT2": 3, "CARRY4": 9, "$scopeinfo": 1}},
        "\\mac": {"num_cells_by_type": {"\\leaf": 4, "LUT6": 1, "FDRE": 5, "RAMB36E1": 1}},
        "\\leaf": {"num_cells_by_type": {"LUT3": 1, "INV": 1, "SRL16E": 1, "DSP48E1": 1}},
    }
}


def test_hierarchy_adds_up():
    tree = Hierarchy(STAT)
    assert tree.instances("top") == {"mac": 2, "leaf": 8}
    # top 3 + 2 mac of (1 + 4 leaves of LUT3, INV, SRL16E)
    assert used(tree.flat("top"), "xc7") == Used(lut=3 + 2 * (1 + 4 * 3), ff=10, dsp=8, bram=4)
    assert layer_luts(tree, "top", {"mac": "fc", "absent": "gone"}, "xc7") == {"fc": 26, REST: 3}


@pytest.mark.parametrize(
    ("family", "cells", "expected"),
    [
        ("xc7", {"LUT1": 1, "LUT6": 2, "MUXF7": 3, "CARRY4": 4, "RAM32M": 1, "RAM64X1D": 1}, Used(9, 0, 0, 0)),
        ("xc7", {"FDRE": 1, "FDSE": 1, "FDCE": 1, "FDPE_1": 1, "RAMB18E1": 3, "DSP48E1": 2}, Used(0, 4, 2, 3)),
        ("xcup", {"LUT5": 1, "CARRY8": 4, "RAMB36E2": 1, "DSP48E2": 1, "RAM64M8": 1}, Used(9, 0, 1, 2)),
        ("ecp5", {"LUT4": 5, "CCU2C": 3, "PFUMX": 2, "TRELLIS_FF": 4, "DP16KD": 1, "MULT18X18D": 1}, Used(11, 4, 1, 1)),
        ("ice40", {"SB_LUT4": 5, "SB_CARRY": 3, "SB_DFFESR": 4, "SB_RAM40_4K": 1, "SB_MAC16": 1}, Used(5, 4, 1, 1)),
        (
            "gowin",
            {"LUT3": 5, "ALU": 3, "MUX2_LUT5": 2, "DFFRE": 4, "DFF": 1, "SDPB": 1, "MULT9X9": 3},
            Used(8, 5, 2, 1),
        ),
    ],
)
def test_physical_counts(family, cells, expected):
    assert used(cells, family) == expected


def test_breakdown_names_what_counts():
    cells = {"LUT2": 3, "CARRY4": 9, "INV": 1}
    assert breakdown(cells, TABLES["xc7"].lut) == "INV 1, LUT2 3"
    assert breakdown({}, TABLES["xc7"].lut) == "none"
    assert weigh({"MULT9X9": 1}, TABLES["gowin"].dsp) == 1  # half a block is rounded up
