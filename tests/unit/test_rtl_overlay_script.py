"""Vivado's script of an overlay, executed to its end against stubs that check cells, pins and files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_rtl_overlay import HERE, ODD, SHAPES, STREAM, files_for, write

from bitsmith.hls.backends.rtl.overlay.files import BOARDS, word_bytes
from bitsmith.hls.boards import load_board


def run_script(folder: Path, *settings: str) -> list[list[str]]:
    """Run build.tcl to its end Vivado's commands being stubs that note themselves."""
    script = folder / "run.tcl"
    lines = [*settings, f"source {{{HERE / 'vivado_stubs.tcl'}}}", f"source {{{folder / 'overlay' / 'build.tcl'}}}"]
    script.write_text("\n".join(lines) + "\n")
    inner = [sys.executable, "-c", "import tkinter; tkinter.Tcl().eval('source run.tcl')"]  # Python's own Tcl
    command = ["tclsh", "run.tcl"] if shutil.which("tclsh") else inner
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        raise RuntimeError(done.stderr)
    return json.loads("[" + ",".join((folder / "told.json").read_text().splitlines()) + "]")


@pytest.mark.parametrize("board", sorted(BOARDS))
def test_script_runs_to_its_end(board, tmp_path):
    files = files_for(SHAPES[ODD][0], board, 142.857, data=["rtl/weights.hex"])
    write({**files, "rtl/demo_axis.sv": "", "rtl/weights.hex": ""}, tmp_path)
    told = run_script(tmp_path)
    parts = [line for line in told if line[0] == "get_board_parts"]
    assert parts == [["get_board_parts", "-quiet", "-latest_file_version", BOARDS[board].board_part]]
    assert [
        "create_project",
        "-force",
        "demo",
        f"{tmp_path}/overlay/vivado",
        "-part",
        load_board(board).device.part,
    ] in told
    added = {Path(line[-1]).name for line in told if line[0] == "add_files"}
    assert {"demo_axis.sv", "weights.hex", "bitsmith_dma_bridge.sv", "demo_axis_dma.v", "overlay_wrapper.v"} == added
    text = [" ".join(line) for line in told]
    assert any("CONFIG.c_m_axis_mm2s_tdata_width 64" in line for line in text)  # five bytes go into words of eight
    clock = "PCW_FPGA0_PERIPHERAL_FREQMHZ" if BOARDS[board].processor == "ps7" else "PL0_REF_CTRL__FREQMHZ"
    assert any(f"{clock} 142.857" in line for line in text)
    assert {"demo.bit", "demo.hwh"} <= {p.name for p in (tmp_path / "overlay").iterdir()}


def connections(told: list[list[str]], command: str) -> list[tuple[str, str]]:
    return [(a.split(":")[1], b.split(":")[1]) for name, a, b in (line for line in told if line[0] == command)]


@pytest.mark.parametrize(("board", "ports"), [("pynq-z2", 2), ("kv260", 2)])
def test_block_design_is_whole(board, ports, tmp_path):
    """Every stream and every clock pin is connected once, the clock's net to all of them."""
    write({**files_for(STREAM, board), "rtl/demo_axis.sv": ""}, tmp_path)
    told = run_script(tmp_path)
    links = connections(told, "connect_bd_intf_net")
    ends = [end for link in links for end in link]
    assert len(ends) == len(set(ends)) == 16 - 2
    assert ("dma/M_AXIS_MM2S", "net/s_axis") in links and ("net/m_axis", "dma/S_AXIS_S2MM") in links
    nets = connections(told, "connect_bd_net")
    clock = "ps/FCLK_CLK0" if board == "pynq-z2" else "ps/pl_clk0"
    clocked = [pin for source, pin in nets if source == clock]
    assert len(clocked) == 7 + ports and "net/aclk" in clocked
    resets = [pin for source, pin in nets if source == "resets/peripheral_aresetn"]
    assert sorted(resets) == ["control_link/aresetn", "dma/axi_resetn", "memory_link/aresetn", "net/aresetn"]


def test_script_stops_without_board_files_and_on_a_failed_build(tmp_path):
    write({**files_for(STREAM), "rtl/demo_axis.sv": ""}, tmp_path)
    with pytest.raises(RuntimeError, match="Vivado has no board file pynq-z2; install it from the board store"):
        run_script(tmp_path, "set no_board_files 1")
    with pytest.raises(RuntimeError, match=r"the build stopped at route_design ERROR; see overlay/vivado/demo\.runs"):
        run_script(tmp_path, "set failing 1")


def test_files_of_an_overlay():
    assert set(files_for(STREAM)) == {
        f"overlay/{name}"
        for name in ("bitsmith_dma_bridge.sv", "demo_axis_dma.v", "build.tcl", "driver.py", "README.md")
    }
    assert files_for(STREAM, "arty-a7-35t") == {}
    assert "overlay/vivado] -part" in files_for(STREAM, name="a net, 2nd!")["overlay/build.tcl"].replace(
        "$here vivado", "overlay/vivado"
    )
    assert all(load_board(board).tool == "vivado" for board in BOARDS)


@pytest.mark.parametrize(
    ("beat", "widest", "word"), [(1, 8, 4), (4, 8, 4), (5, 8, 8), (98, 8, 8), (98, 16, 16), (9, 16, 16)]
)
def test_width_of_the_dma(beat, widest, word):
    assert word_bytes(beat, widest) == word
