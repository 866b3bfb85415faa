from __future__ import annotations

from pathlib import Path

import pytest

from bitsmith.hls.boards import board_names, boards, family_names, load_board, load_family
from bitsmith.hls.boards.__main__ import markdown_table
from bitsmith.models.ir import InputError

TOOLS = {"vivado", "quartus", "libero", "nextpnr-ice40", "nextpnr-ecp5", "nextpnr-himbaechel-gowin"}
DOCS = Path(__file__).parents[2] / "docs" / "boards.md"

ASKED_FOR = """
    icebreaker upduino hx8k-evb hx8k-breakout ulx3s-12f ulx3s-25f ulx3s-45f ulx3s-85f orangecrab colorlight-i5
    tang-nano-9k tang-nano-20k tang-primer-25k arty-a7-35t arty-a7-100t basys3 cmod-a7-35t pynq-z1 pynq-z2 zybo-z7-10
    zybo-z7-20 ultra96-v2 kv260 zcu102 zcu104 zcu111 rfsoc2x2 rfsoc4x2 alveo-u50 alveo-u200 alveo-u250 alveo-u280 vu9p
    vu13p de10-nano arria10-soc arria10-gx agilex7-f polarfire-eval
"""


def test_every_board_file_is_read_and_named_as_its_file():
    assert [b.name for b in boards()] == board_names()
    assert set(ASKED_FOR.split()) <= set(board_names())


@pytest.mark.parametrize("name", board_names())
def test_numbers_are_plausible(name):
    board = load_board(name)
    chip = board.device
    assert chip.family in family_names()
    assert chip.part and board.title and board.source and chip.source
    assert board.tool in TOOLS
    assert chip.lut_inputs in (4, 6)
    assert 1_000 <= chip.lut <= 2_000_000
    assert 0.7 <= chip.ff / chip.lut <= 4  # one to four registers per LUT; Gowin has three for four LUTs
    assert 0 <= chip.dsp <= chip.lut / 50
    assert 0 < chip.bram <= chip.lut / 40
    assert chip.bram_kbit in (4.0, 9.0, 10.0, 18.0, 20.0)
    assert 0 <= chip.uram <= chip.bram / 2 and (chip.uram == 0 or chip.family == "xcup")
    assert 10.0 <= board.clock_mhz <= 300.0
    assert board.clock_pin


@pytest.mark.parametrize("name", board_names())
def test_same_chip_has_the_same_capacity_on_every_board(name):
    chip = load_board(name).device
    for other in boards():
        if other.device.name == chip.name:
            assert (other.device.lut, other.device.ff, other.device.dsp, other.device.bram) == (
                chip.lut,
                chip.ff,
                chip.dsp,
                chip.bram,
            )


@pytest.mark.parametrize("name", family_names())
def test_family_ranges_are_ordered_and_sourced(name):
    family = load_family(name)
    ranges = ("fmax_factor",)
    for key in ranges:
        figure = getattr(family, key)
        assert 0 < figure.low < figure.value < figure.high
    assert set(family.sources) == {*ranges, "max_mhz"}
    assert 100 < family.max_mhz < 1000


def test_the_table_in_the_docs_is_that_of_the_files():
    assert markdown_table() in DOCS.read_text(), "print it with: python -m bitsmith.hls.boards"


def test_known_capacities():
    # From the data sheets: Artix-7 35T, UltraPlus 5K, ECP5-85.
    arty, ice, ulx = (load_board(n).device for n in ("arty-a7-35t", "icebreaker", "ulx3s-85f"))
    assert (arty.lut, arty.ff, arty.dsp, arty.bram) == (20800, 41600, 90, 100)
    assert (ice.lut, ice.dsp, ice.bram, ice.bram_kbit) == (5280, 8, 30, 4.0)
    assert (ulx.lut, ulx.dsp, ulx.bram) == (83640, 156, 208)


@pytest.mark.parametrize(
    ("name", "lut", "dsp", "bram", "uram"),
    [
        # "Available" in public reports of Vivado (block RAM tiles of 36 kbit), "of" in those of Quartus
        ("zcu104", 230400, 1728, 2 * 312, 96),
        ("kv260", 117120, 1248, 2 * 144, 64),
        ("rfsoc2x2", 425280, 4272, 2 * 1080, 80),
        ("vu9p", 1182240, 6840, 2 * 2160, 960),
        ("alveo-u280", 1303680, 9024, 2 * 2016, 960),
        ("arria10-soc", 251680, 1687, 2131, 0),
        ("arria10-gx", 427200, 1518, 2713, 0),
    ],
)
def test_capacities_are_those_that_the_tools_name(name, lut, dsp, bram, uram):
    chip = load_board(name).device
    assert (chip.lut, chip.dsp, chip.bram, chip.uram) == (lut, dsp, bram, uram)


@pytest.mark.parametrize(
    ("wrong", "offered"),
    [("arty", "arty-a7-35t"), ("ice-breaker", "icebreaker"), ("ULX3S-85", "ulx3s-85f"), ("pynq-z3", "pynq-z2")],
)
def test_unknown_board_offers_the_nearest(wrong, offered):
    with pytest.raises(InputError) as error:
        load_board(wrong)
    assert repr(wrong) in str(error.value)
    assert offered in str(error.value)


@pytest.mark.parametrize("wrong", ["zzzzzz", "", "devices-xc7", "../secret"])
def test_unknown_board_without_a_neighbour_names_the_command(wrong):
    with pytest.raises(InputError, match=r"bitsmith boards|did you mean"):
        load_board(wrong)
