"""Published designs beside our estimates: the page, the ratios, and what is said of rows that cannot be priced."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from script_module import loaded

from bitsmith.flows.published import Compared, Stated, compare, price_point, read_points, scores, without_limit
from bitsmith.hls.boards import load_board
from bitsmith.hls.results import Figure
from bitsmith.models.ir import InputError

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS, DOC = ROOT / "scripts", ROOT / "docs" / "published.md"
POINTS = SCRIPTS / "published_points.toml"


@pytest.fixture(scope="module")
def script():
    with loaded("published_table") as module:
        yield module


@pytest.fixture(scope="module")
def points():
    return {point.name: point for point in read_points(POINTS)[0]}


@pytest.fixture(scope="module")
def priced(script, points):
    return script.priced_all(list(points.values()), None)


def test_the_page_shows_what_the_script_prints(script, priced):
    page = DOC.read_text()
    assert script.text(priced[0], False) in page, "print it with scripts/published_table.py"
    refused = [one for one in [*priced[1], *read_points(POINTS)[1]] if "--models" not in one.reason]
    for line in script.missing_text(refused).splitlines():
        assert line in page


@pytest.mark.nightly
def test_the_page_shows_our_own_rtl(script, points):
    assert script.own_text(list(points.values())) in DOC.read_text()


def test_a_ratio_derived_by_hand(script, points):
    """KWS-W3A3 in FINN at 500 cycles: 490 x 256 products at 256 a cycle are 490 cycles.  256 x 256 take a power of two,
    so at most 256, and the last layer has less to do.  100 MHz over 490 a second; published are 57,268."""
    point = points["KWS-W3A3, Pynq-Z2"]
    rows = {row.figure: row for row in compare(price_point(point, script.NETS[point.net]()))}
    rate = rows["throughput_per_s"]
    assert rate.ours.value == 1e8 / 490
    assert rate.ratio == (1e8 / 490) / 57268  # 3.56
    assert not rate.inside  # MLPerf Tiny waits for each inference
    # the price has no DSP block at all, so one that was used lies outside
    assert (rows["dsp"].ours, rows["dsp"].inside) == (Figure.exact(0.0), False)


def test_ratio_and_bounds():
    row = Compared("d", "lut", Stated(200.0, "read"), Figure(150.0, 100.0, 180.0))
    assert (row.ratio, row.inside) == (0.75, False)
    assert replace(row, stated=Stated(180.0, "read")).inside
    assert replace(row, stated=Stated(0.0, "read")).ratio is None
    # errors of 50 in 200 and 30 in 120: both 25 %
    found = scores([row, replace(row, stated=Stated(120.0, "read"))])["lut"]
    assert (found.n, found.median_ape, found.coverage90) == (2, 25.0, 0.5)


def test_rows_that_need_a_file_are_skipped_and_said(priced, points, script, tmp_path):
    needed = {point.name for point in points.values() if point.file}
    assert needed and needed == {one.name for one in priced[1] if "no folder was given as --models" in one.reason}
    assert "which the folder given as --models lacks" in script.net_of(points["jets Q6, trained weights"], tmp_path)


def test_every_figure_says_where_it_was_seen(points, script):
    for point in points.values():
        assert bool(point.net) != bool(point.file) and point.source and point.note
        assert point.file or point.net in script.NETS
        assert {stated.mark.split(",")[0] for stated in point.published.values()} <= {"read", "SECONDARY", "memory"}


def test_what_the_board_refuses_is_priced_without_its_limit_and_said(script, points):
    point = points["CNV-W1A1, Pynq-Z2"]
    found = price_point(point, script.NETS[point.net]())
    assert "pynq-z2" in found.refused
    assert found.figures["bram"].value > 0.8 * load_board("pynq-z2").device.bram
    assert without_limit(load_board("pynq-z2")).device.lut == 1000 * 53200


def test_areas_of_csynth_are_compared_with_our_figures_of_csynth(script, points):
    point = points["jets, hls4ml tutorial part 1"]
    net = script.NETS[point.net]()
    csynth, vivado = (price_point(replace(point, stage=stage), net).figures for stage in ("csynth", "vivado"))
    assert csynth["lut"].value > vivado["lut"].value
    assert csynth["ii_cycles"].low == 1.0


def test_an_unknown_key_is_refused(tmp_path):
    path = tmp_path / "points.toml"
    path.write_text('[[point]]\nname = "x"\npublished = { luts = [1, "read"] }\n')
    with pytest.raises(InputError, match="x: unknown key luts; a design has"):
        read_points(path)


def test_a_network_is_the_same_every_time_and_has_its_published_sizes(script):
    sizes = {
        # products per inference are the weights of a matrix, once each
        "jets_16": 16 * 64 + 64 * 32 + 32 * 32 + 32 * 5,
        "ad08": 64 * 72 + 72 * 72 + 72 * 8 + 8 * 72 + 72 * 72 + 72 * 64,
        "kws_w3a3": 490 * 256 + 2 * 256 * 256 + 256 * 12,
        # 32 x 32 places after every layer but the last two convolutions, which have 8 x 8
        "rn07": 1024 * (3 * 32 + 16 * 32 * 4 + 16 * 4 * 32) + 64 * 2 * 16 * 32 * 32 + 2048 * 10,
        # 30, 28, pool, 12, 10, pool, 3, 1 places a side
        "cnv_w1a1": 9 * (900 * 3 * 64 + 784 * 64 * 64 + 144 * 64 * 128 + 100 * 128 * 128 + 9 * 128 * 256 + 256 * 256)
        + 256 * 512 + 512 * 512 + 512 * 10,
    }  # fmt: skip
    from bitsmith.hls.estimate import op_counts
    from bitsmith.models.ir import content_hash

    for name, macs in sizes.items():
        net = script.NETS[name]()
        assert sum(count.macs for count in op_counts(net)) == macs
        assert content_hash(net) == content_hash(script.NETS[name]())
