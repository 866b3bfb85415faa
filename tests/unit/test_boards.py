from __future__ import annotations

import pytest

from bitsmith.hls.boards import board_names, boards, family_names, load_board, load_family
from bitsmith.models.ir import InputError

TOOLS = {"vivado", "quartus", "nextpnr-ice40", "nextpnr-ecp5", "nextpnr-himbaechel-gowin"}


def test_every_board_file_is_read_and_named_as_its_file():
    assert [b.name for b in boards()] == board_names()
    assert len(board_names()) >= 17


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
    assert chip.bram_kbit in (4.0, 9.0, 10.0, 18.0)
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
    ranges = ("adder_factor", "logic_factor", "fmax_factor", "static_uw_per_lut", "dynamic_uw_per_mhz_lut")
    for key in ranges:
        figure = getattr(family, key)
        assert 0 < figure.low < figure.value < figure.high
    assert set(family.sources) == {*ranges, "max_mhz"}
    assert 100 < family.max_mhz < 1000


def test_known_capacities():
    # From the data sheets: Artix-7 35T, UltraPlus 5K, ECP5-85.
    arty, ice, ulx = (load_board(n).device for n in ("arty-a7-35t", "icebreaker", "ulx3s-85f"))
    assert (arty.lut, arty.ff, arty.dsp, arty.bram) == (20800, 41600, 90, 100)
    assert (ice.lut, ice.dsp, ice.bram, ice.bram_kbit) == (5280, 8, 30, 4.0)
    assert (ulx.lut, ulx.dsp, ulx.bram) == (83640, 156, 208)


@pytest.mark.parametrize(
    ("wrong", "offered"),
    [("arty", "arty-a7-35t"), ("ice-breaker", "icebreaker"), ("ULX3S-85", "ulx3s-85f"), ("pynq-z1", "pynq-z2")],
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
