"""The vendors' drivers: complete runs of fake tools that execute the scripts, and stored reports."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
from vendor_fakes import REPORTS, commands, put_on_path, write_project

from bitsmith.hls.boards import load_board
from bitsmith.hls.results import SynthReport
from bitsmith.hls.synth import synthesize
from bitsmith.hls.tools import diamond, quartus, radiant, verilator, vivado
from bitsmith.hls.tools.drivers import usable_driver
from bitsmith.hls.tools.vendor import Batch, Report, tcl_word
from bitsmith.models.ir import InputError, ToolError

DRIVERS = {
    "vivado": (vivado, "arty-a7-35t"),
    "quartus_sh": (quartus, "de10-nano"),
    "radiantc": (radiant, "icebreaker"),
    "diamondc": (diamond, "ulx3s-85f"),
}
FOLDERS = {"vivado": "vivado", "quartus_sh": "quartus", "radiantc": "radiant", "diamondc": "diamond"}


def go(tool: str, tmp_path: Path, board: str = "") -> SynthReport:
    """Write the small project and run the driver on it."""
    driver, usual = DRIVERS[tool]
    project = tmp_path / "project with spaces"
    manifest = write_project(project)
    return driver.run(project, manifest, load_board(board or usual), project / "synth")


def left(tool: str, tmp_path: Path) -> Path:
    return tmp_path / "project with spaces" / "synth" / FOLDERS[tool]


def stored(name: str) -> Report:
    return Report((REPORTS / name).read_text(), name)


# complete runs


def test_vivado_from_script_to_report(tmp_path, monkeypatch):
    put_on_path("vivado", "ok", tmp_path / "bin", monkeypatch)
    report = go("vivado", tmp_path)
    assert (report.tool, report.version) == ("Vivado", "2020.2")
    assert (report.lut, report.ff, report.dsp, report.bram) == (2305, 1948, 8, 5)  # 2.5 tiles are 5 halves
    assert report.fmax_mhz == 1e3 / (10.0 - 1.406)
    assert report.fits is True and report.bitstream is None
    assert report.sources["lut"] == "synth/vivado/utilization.rpt: | Slice LUTs | 2305 | 0 | 20800 | 11.08 |"
    assert "Block RAM Tile | 2.5" in report.sources["bram"] and "halves" in report.sources["bram"]
    assert "WNS 1.406 ns" in report.sources["fmax_mhz"] and report.sources["timing"].startswith("met")
    assert report.tools == {"Vivado": "2020.2"} and report.binding == "lut" and report.uram is None
    assert report.place_and_route is not None and report.place_and_route.target_mhz == 100.0
    told = commands(left("vivado", tmp_path))
    assert told == [
        "set_msg_config -id {Synth 8-4445} -new_severity ERROR",
        "read_verilog -sv demo_axis.sv",
        "read_mem weights.hex",
        "read_xdc -mode out_of_context clock.xdc",
        "synth_design -top demo_axis -part xc7a35ticsg324-1L -mode out_of_context -flatten_hierarchy rebuilt",
        "report_utilization -file utilization_synth.rpt",
        *("opt_design", "place_design", "phys_opt_design", "route_design"),
        "report_utilization -file utilization.rpt",
        "report_utilization -hierarchical -file hierarchy.rpt",
        "report_timing_summary -file timing.rpt",
        "write_checkpoint -force demo_axis.dcp",
    ]
    folder = left("vivado", tmp_path)
    assert "create_clock -name aclk -period 10.000 [get_ports aclk]" in (folder / "clock.xdc").read_text()
    assert (folder / "weights.hex").read_text().startswith("0001")  # where Vivado runs, $readmemh finds it too


def test_vivado_ultrascale_counts_ultraram(tmp_path, monkeypatch):
    put_on_path("vivado", "ultrascale", tmp_path / "bin", monkeypatch)
    report = go("vivado", tmp_path, "kv260")
    assert (report.lut, report.ff, report.dsp, report.bram) == (20929, 25887, 8, 63)
    assert report.uram == 2 and "| URAM | 2 |" in report.sources["uram"]
    assert report.fits is True


def test_quartus_from_script_to_report(tmp_path, monkeypatch):
    put_on_path("quartus_sh", "ok", tmp_path / "bin", monkeypatch)
    report = go("quartus_sh", tmp_path)
    assert report.version == "20.1.0 Build 711 06/05/2020 SJ Lite Edition"
    assert (report.lut, report.ff, report.dsp, report.bram) == (4778, 2196, 3, 12)
    assert report.fmax_mhz == 150.02  # the slower corner, and its restricted frequency
    assert report.sources["ff"] == "synth/quartus/bitsmith.fit.summary: Total registers : 2196"
    told = commands(left("quartus_sh", tmp_path))
    assert told[0] == "load_package flow" and told[-2:] == ["execute_flow -compile", "project_close"]
    assert {"FAMILY Cyclone V", "DEVICE 5CSEBA6U23I7", "TOP_LEVEL_ENTITY demo_axis"} <= {
        re.sub("[{}]", "", line) for line in told
    }
    pins = [line.split()[1] for line in told if line.startswith("VIRTUAL_PIN")]
    assert len(pins) == 9 and "aclk" not in pins and "s_axis_tdata" in pins


@pytest.mark.parametrize(
    ("board", "expected"),
    [("de10-lite", (10744, 3054, 4, 5)), ("arria10-soc", (37069, 59012, 2, 227))],  # 7 nine-bit elements: 4 of 18x18
)
def test_quartus_other_families(tmp_path, monkeypatch, board, expected):
    put_on_path("quartus_sh", "ok", tmp_path / "bin", monkeypatch)
    report = go("quartus_sh", tmp_path, board)
    assert (report.lut, report.ff, report.dsp, report.bram) == expected


def test_radiant_from_script_to_report(tmp_path, monkeypatch):
    put_on_path("radiantc", "ok", tmp_path / "bin", monkeypatch)
    report = go("radiantc", tmp_path)
    assert (report.tool, report.version) == ("Radiant", "2024.1.0.34.2")
    assert (report.lut, report.ff, report.dsp, report.bram, report.fmax_mhz) == (3268, 1128, 4, 20, 32.016)
    assert "Number of EBRs: 20 out of 30" in report.sources["bram"]
    assert "shift registers" in report.sources["lut_note"]
    assert report.place_and_route is not None and report.place_and_route.wrapped
    told = commands(left("radiantc", tmp_path))
    assert "High-Performance_1.2V" in told[0] and "iCE40UP5K-SG48I" in told[0]
    assert [line for line in told if line.startswith("prj_run")] == ["prj_run Synthesis", "prj_run Map", "prj_run PAR"]
    again = radiant.run(
        tmp_path / "project with spaces",
        write_project(tmp_path / "other"),
        load_board("icebreaker"),
        tmp_path / "project with spaces" / "synth",
    )
    assert again.lut == report.lut  # the project of the first run is gone first


def test_diamond_from_script_to_report(tmp_path, monkeypatch):
    put_on_path("diamondc", "ok", tmp_path / "bin", monkeypatch)
    report = go("diamondc", tmp_path)
    assert (report.tool, report.version) == ("Diamond", "3.13.0.56.2")
    assert (report.lut, report.ff, report.dsp, report.bram) == (2305, 2584, 3, 3)  # 5 nine-bit sites: 3 of 18x18
    assert report.fmax_mhz == 44.111  # of the setup table, though the target was missed
    assert (left("diamondc", tmp_path) / "clock.lpf").read_text() == 'FREQUENCY PORT "clk" 100.000000 MHz ;\n'


def test_the_wrap_of_lattice_is_sound(tmp_path, monkeypatch):
    put_on_path("diamondc", "ok", tmp_path / "bin", monkeypatch)
    go("diamondc", tmp_path)
    folder = left("diamondc", tmp_path)
    named = re.findall(r"^prj_src add \{(.*)\}$", (folder / "build.tcl").read_text(), re.MULTILINE)
    monkeypatch.undo()
    verilator.lint([Path(name) for name in named], "bitsmith_pins", tmp_path / "lint.log")


def test_synthesize_takes_the_boards_own_tool_where_it_is(tmp_path, monkeypatch):
    write_project(tmp_path / "project", modules={"fc": "demo_axis"})
    board = load_board("de10-nano")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    with pytest.raises(ToolError, match="no open synthesis for the family cyclonev"):
        synthesize(tmp_path / "project", board)
    put_on_path("quartus_sh", "ok", tmp_path / "bin", monkeypatch)
    heard: list[str] = []
    report = synthesize(tmp_path / "project", board, heard.append)
    assert (report.tool, report.lut) == ("Quartus", 4778) and heard[0].startswith("quartus: ")
    with pytest.raises(ToolError, match="no open synthesis"):
        synthesize(tmp_path / "project", board, area_only=True)  # the estimate of area is yosys's
    assert usable_driver(load_board("ulx3s-85f")) is None  # nextpnr is its tool, whatever else is there


# failures


@pytest.mark.parametrize("tool", DRIVERS)
def test_missing_tool_names_its_remedy(tool, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    driver: ModuleType = DRIVERS[tool][0]
    assert not driver.status().usable and driver.status().remedy == driver.REMEDY
    with pytest.raises(ToolError, match=re.escape(driver.REMEDY)):
        go(tool, tmp_path)


@pytest.mark.parametrize("tool", DRIVERS)
def test_status_names_the_place(tool, tmp_path, monkeypatch):
    put_on_path(tool, "ok", tmp_path / "bin", monkeypatch)
    state = DRIVERS[tool][0].status()
    assert state.usable and state.version == str(tmp_path / "bin" / tool)


@pytest.mark.parametrize("tool", DRIVERS)
def test_crash_shows_the_last_lines_only(tool, tmp_path, monkeypatch):
    put_on_path(tool, "crash", tmp_path / "bin", monkeypatch)
    with pytest.raises(
        ToolError, match=r"(?s)failed with status 134.*line 39\n.*Abnormal program termination"
    ) as error:
        go(tool, tmp_path)
    assert "first line" not in str(error.value)


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("vivado", "A valid license was not found for feature 'Synthesis'"),
        ("quartus_sh", "You don't have a license for the device"),
        ("radiantc", "License checkout failed"),
    ],
)
def test_license_errors_are_shown(tool, words, tmp_path, monkeypatch):
    put_on_path(tool, "license", tmp_path / "bin", monkeypatch)
    with pytest.raises(ToolError, match=f"(?s)failed with status 1.*{words}"):
        go(tool, tmp_path)


@pytest.mark.parametrize(
    ("tool", "report"),
    [
        ("vivado", "timing.rpt"),
        ("quartus_sh", "bitsmith.sta.rpt"),
        ("radiantc", "impl_1/bitsmith_impl_1.twr"),
        ("diamondc", "impl1/bitsmith_impl1.twr"),
    ],
)
def test_missing_report_is_an_error_also_after_a_good_run(tool, report, tmp_path, monkeypatch):
    driver, board = DRIVERS[tool]
    project = tmp_path / "project"
    manifest = write_project(project)
    put_on_path(tool, "ok", tmp_path / "bin", monkeypatch)
    driver.run(project, manifest, load_board(board), project / "synth")
    put_on_path(tool, "silent", tmp_path / "bin", monkeypatch)
    with pytest.raises(ToolError, match=f"left no {re.escape(report)}; the log is"):
        driver.run(project, manifest, load_board(board), project / "synth")


@pytest.mark.parametrize(("tool", "lut"), [("vivado", 31044), ("quartus_sh", 51306)])
def test_a_design_that_does_not_fit_is_no_error(tool, lut, tmp_path, monkeypatch):
    put_on_path(tool, "full", tmp_path / "bin", monkeypatch)
    report = go(tool, tmp_path)
    assert report.fits is False and report.lut == lut and report.binding == "lut"
    assert report.place_and_route is None
    assert report.fmax_mhz is None and report.sources["fmax_mhz"].startswith("none")


def test_a_failing_placer_is_an_error_where_there_is_room(tmp_path, monkeypatch):
    put_on_path("vivado", "place", tmp_path / "bin", monkeypatch)
    with pytest.raises(ToolError, match="Placer failed"):
        go("vivado", tmp_path)


def test_a_memory_file_that_the_tool_did_not_find_is_an_error(tmp_path, monkeypatch):
    put_on_path("vivado", "lost", tmp_path / "bin", monkeypatch)
    with pytest.raises(ToolError, match=r"did not find a memory file.*\n.*Synth 8-4445.*weights\.hex"):
        go("vivado", tmp_path)


def test_incomplete_projects(tmp_path):
    manifest = write_project(tmp_path)
    batch = Batch("Vivado", tmp_path, tmp_path / "synth")
    assert batch.design(manifest).period_ns == "10.000"
    (tmp_path / "rtl" / "weights.hex").unlink()
    with pytest.raises(InputError, match=r"weights\.hex missing; emit it anew"):
        batch.design(manifest)
    with pytest.raises(InputError, match="names no rtl and top"):
        batch.design({"backend": "hls4ml"})


def test_foreign_family_for_quartus(tmp_path):
    with pytest.raises(ToolError, match="Quartus has no family xc7 of arty-a7-35t"):
        go("quartus_sh", tmp_path, "arty-a7-35t")


def test_words_of_tcl():
    assert tcl_word(Path("/a b/$c[d].sv")) == "{/a b/$c[d].sv}"
    for bad in ("a{b", "a}b", "a\\b", "a\nb"):
        with pytest.raises(InputError, match="cannot stand in a Tcl script"):
            tcl_word(bad)


# figures of stored reports


@pytest.mark.parametrize(
    ("slack", "fmax"),
    [("1.406", 1e3 / 8.594), ("0.000", 100.0), ("-0.089", 1e3 / 10.089), ("-12.670", 1e3 / 22.67)],
)
def test_vivado_slack(slack, fmax):
    """Zero is a slack like any other."""
    text = stored("vivado/timing.rpt").text.replace("1.406", slack)
    found, note = vivado.fmax_of(Report(text, "timing.rpt"))
    assert found is not None and found.value == fmax
    assert note.startswith("not met" if slack.startswith("-") else "met")


def test_vivado_without_paths_between_registers():
    text = stored("vivado/timing.rpt").text
    row = next(line for line in text.splitlines() if line.startswith("aclk") and "3420" in line)
    pulses_only = f"aclk{' ' * 120}4.500        0.000                       0                  1949  "
    found, note = vivado.fmax_of(Report(text.replace(row, pulses_only), "timing.rpt"))
    assert found is None and "no path from register to register" in note
    without = text.replace("aclk   {0.000 5.000}", "clk2   {0.000 5.000}")
    with pytest.raises(ToolError, match="does not say the period of aclk"):
        vivado.fmax_of(Report(without, "timing.rpt"))


def test_vivado_unknown_form():
    text = stored("vivado/utilization_7series.rpt").text.replace("Slice LUTs", "Slice Tables")
    with pytest.raises(ToolError, match=r"x\.rpt does not say how many lut it uses; its form is new"):
        vivado.utilization_of(Report(text, "x.rpt"))


def test_quartus_falls_back_to_the_slack():
    tables = Report("no clock\n", "sta.rpt")
    found = quartus.fmax_of(tables, stored("quartus/cyclonev.sta.summary"), 10.0)
    assert found is not None and found.value == 1e3 / (10.0 - 3.467)  # setup of the slowest corner, not hold
    zero = stored("quartus/cyclonev.sta.summary").text.replace("3.467", "0.000")
    found = quartus.fmax_of(tables, Report(zero, "sta.summary"), 10.0)
    assert found is not None and found.value == 100.0
    assert quartus.fmax_of(tables, Report("", "sta.summary"), 10.0) is None


def test_radiant_takes_the_slowest_corner():
    one = stored("radiant/ice40.twr").text
    two = one + one[one.index("2  CLOCK SUMMARY") :].replace("32.016 MHz", "31.007 MHz")
    found = radiant.fmax_of(Report(two, "x.twr"))
    assert found is not None and found.value == 31.007


def test_diamond_reads_a_preference_that_goes_on_in_a_second_row():
    text = stored("diamond/ecp5.twr").text
    one = next(line for line in text.splitlines() if line.startswith("FREQUENCY") and "44.111" in line)
    two = (
        'FREQUENCY NET "clk_c" 100.000000        |             |             |\n'
        "MHz ;                                   |  100.000 MHz|  200.000 MHz|   0  "
    )
    found = diamond.fmax_of(Report(text.replace(one, two), "x.twr"))
    assert found is not None and found.value == 200.0
    assert diamond.fmax_of(Report("", "x.twr")) is None


def test_open_nets_are_an_error():
    text = stored("diamond/ecp5.par").text.replace("*      0 ", "*      3 ")
    from bitsmith.hls.tools.lattice import check_routed

    check_routed(stored("diamond/ecp5.par"))
    check_routed(stored("radiant/ice40.par"))
    with pytest.raises(ToolError, match="3 nets are not routed"):
        check_routed(Report(text, "x.par"))
