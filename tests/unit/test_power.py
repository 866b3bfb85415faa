from __future__ import annotations

import math
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from bitsmith.hls import boards as folder
from bitsmith.hls.boards import boards, family_names, load_board, load_family
from bitsmith.hls.boards.power import KEYS, UNVERIFIED, read_power
from bitsmith.hls.estimate.activity import Activity, Switching
from bitsmith.hls.estimate.physics import Timing, timing
from bitsmith.hls.estimate.power import GLITCHES, cycle_pj, price_power, product, static_mw
from bitsmith.hls.results import ZERO, Figure

ROOT = Path(__file__).parents[2]
NOTHING = dict.fromkeys(("lut", "ff", "dsp", "bram"), ZERO)
ONE = Figure.exact(1.0)
TABLE = {key: [1.0, 2.0, 4.0] for key in KEYS if key != "static_mw"}
SOURCED = {**TABLE, "sources": dict.fromkeys(TABLE, "a book")}


def at(mhz: float, ii: float) -> Timing:
    return timing(Figure.exact(1), Figure.exact(ii), Figure.exact(1000.0), mhz)


def test_products_add_logarithms_in_squares() -> None:
    # Two factors of two and one without error: sqrt(2) * ln 2 either way
    spread = math.exp(math.sqrt(2) * math.log(2))
    found = product(Figure(3.0, 1.5, 6.0), Figure(5.0, 2.5, 10.0), ONE)
    assert found.value == 15.0
    assert (found.low, found.high) == (pytest.approx(15 / spread), pytest.approx(15 * spread))
    assert product(Figure(3.0, 0.0, 6.0), Figure(5.0, 2.5, 10.0)) == Figure(15.0, 0.0, 60.0)
    assert product(Figure(0.0, 0.0, 6.0), Figure(5.0, 2.5, 10.0)) == Figure(0.0, 0.0, 60.0)


def test_a_cycle_by_hand() -> None:
    # All coefficients 2 pJ, exact; 100 LUTs that change 0.25 times a cycle, 1.45 times with glitches; 40 flip-flops
    # at 0.5; 3 DSP blocks, 4 memories: 100*2*0.25*1.45 + 40*2*0.5 + 40*2 + 3*2 + 4*2 + 2 = 72.5 + 40 + 80 + 6 + 8 + 2
    exact = {key: [2.0, 2.0, 2.0] for key in TABLE}
    power = read_power({**exact, "sources": dict.fromkeys(exact, "a book")})
    cells = {name: Figure.exact(n) for name, n in (("lut", 100), ("ff", 40), ("dsp", 3), ("bram", 4))}
    switching = Switching(Figure.exact(0.25), Figure.exact(0.5), "by hand")
    assert GLITCHES.value == 1.45
    assert cycle_pj(cells, switching, power).value == 208.5


def test_static_power_is_the_devices_own_or_the_familys_per_lut() -> None:
    arty, ice = load_board("arty-a7-35t").device, load_board("icebreaker").device
    assert static_mw(arty, load_family("xc7")) == Figure(62.0, 50.0, 160.0)
    assert static_mw(ice, load_family("ice40")) == Figure(0.13, 0.09, 0.4)
    kv = load_board("kv260").device  # 117,120 LUTs, no figure of its own: 2.7 uW each
    assert static_mw(kv, load_family("xcup")).value == pytest.approx(316.224)


def test_an_empty_design_takes_static_power_and_the_clock() -> None:
    # UP5K at 12 MHz: 53 pJ * 12 MHz = 636 uW beside 130 uW; 48 cycles of 1/12 us are 4 us
    ice = load_board("icebreaker").device
    found = price_power(NOTHING, at(12.0, 48.0), Figure.exact(48.0), "rtl-folded", ice, load_family("ice40"))
    assert found.static_mw.value == 0.13 and found.dynamic_mw.value == pytest.approx(0.636)
    assert found.power_mw.value == pytest.approx(0.766)
    assert found.energy_uj.value == pytest.approx(0.766 * 4e-3)  # mW * us = 1e-3 uJ
    assert found.dynamic_uj.value == pytest.approx(53.0 * 48 / 1e6)


def test_dynamic_energy_does_not_depend_on_the_clock_static_energy_does() -> None:
    cells = {**NOTHING, "lut": Figure.exact(1000.0), "ff": Figure.exact(500.0)}
    device, family = load_board("arty-a7-35t").device, load_family("xc7")
    slow, fast = (
        price_power(cells, at(mhz, 10.0), Figure.exact(10.0), "rtl-folded", device, family) for mhz in (10.0, 100.0)
    )
    assert slow.dynamic_uj == fast.dynamic_uj
    assert slow.static_uj.value == pytest.approx(10 * fast.static_uj.value)
    assert fast.dynamic_mw.value == pytest.approx(10 * slow.dynamic_mw.value)


def test_measured_activity_takes_the_place_of_the_default() -> None:
    cells = {**NOTHING, "lut": Figure.exact(1000.0)}
    device, family = load_board("arty-a7-35t").device, load_family("xc7")
    quiet, busy = (
        price_power(
            cells,
            at(100.0, 1.0),
            ONE,
            "rtl-unrolled",
            device,
            family,
            Activity(rate, rate, 1000, 100, 300, "Verilator 5"),
        )
        for rate in (0.1, 0.4)
    )
    unknown = price_power(cells, at(100.0, 1.0), ONE, "rtl-unrolled", device, family)
    clock = family.power.clock_pj.value * 100 / 1e3
    assert busy.dynamic_mw.value - clock == pytest.approx(4 * (quiet.dynamic_mw.value - clock))
    assert busy.source.startswith("model: activity of this design in Verilator 5")
    assert unknown.source.startswith("model: default activity of rtl-unrolled")
    assert "without its board" in unknown.source


@pytest.mark.parametrize("board", boards(), ids=lambda b: b.name)
def test_every_board_has_power_in_order(board) -> None:
    family = load_family(board.device.family)
    cells = {name: Figure(100.0, 30.0, 300.0) for name in NOTHING}
    for backend in ("rtl-unrolled", "rtl-folded", "hls4ml", "finn"):
        found = price_power(cells, at(50.0, 4.0), Figure(4.0, 3.0, 9.0), backend, board.device, family)
        for figure in (found.static_mw, found.dynamic_mw, found.power_mw, found.energy_uj):
            assert 0 < figure.low < figure.value < figure.high < 1e6


@pytest.mark.parametrize("name", family_names())
def test_numbers_from_memory_have_wide_bounds(name) -> None:
    family = load_family(name)
    for power in (family.power, *family.device_power.values()):
        for key in KEYS:
            figure = getattr(power, key)
            if figure is not None and power.sources[key].startswith(UNVERIFIED):
                assert figure.high >= 2 * figure.value and figure.low <= 0.85 * figure.value, (name, key)


def test_tables_are_checked() -> None:
    assert read_power(SOURCED).lut_pj == Figure(2.0, 1.0, 4.0)
    own = read_power(SOURCED, {"lut_pj": [3, 3, 3], "sources": {"lut_pj": "measured"}})
    assert own.lut_pj == Figure.exact(3) and own.ff_pj == Figure(2.0, 1.0, 4.0)
    assert own.sources["lut_pj"] == "measured" and own.sources["ff_pj"] == "a book"
    for wrong, text in (
        ({**SOURCED, "lut": [1, 2, 3]}, "nobody reads"),
        ({**SOURCED, "lut_pj": [3, 2, 4]}, "no range"),
        ({**TABLE, "sources": {}}, "a source is missing"),
        ({k: v for k, v in SOURCED.items() if k != "dsp_pj"}, "a source is missing"),
    ):
        with pytest.raises(AssertionError, match=text):
            read_power(wrong)
    assert replace(own, static_mw=ONE).static_mw == ONE


@pytest.mark.parametrize("option", [[], ["--coefficients"], ["--activity"]])
def test_tables_in_the_docs_are_what_the_script_prints(option) -> None:
    script = ROOT / "scripts" / "power_table.py"
    done = subprocess.run([sys.executable, script, *option], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in (ROOT / "docs" / "power.md").read_text(), "print it again: scripts/power_table.py"


def test_old_coefficients_are_gone() -> None:
    for name in family_names():
        data = tomllib.loads(resources.files(folder).joinpath(f"devices-{name}.toml").read_text())
        assert not {key for key in data["family"] if key.endswith(("_uw_per_lut", "_uw_per_mhz_lut"))}
