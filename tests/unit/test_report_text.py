from __future__ import annotations

import pytest

from bitsmith.hls.results import Figure
from bitsmith.reports.tables import cell_text, table
from bitsmith.reports.text import bounds, duration, number, percent, shape, with_unit


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (7, "7"),
        (1.5, "1.50"),
        (12345.678, "12,346"),
        (0.00012345, "0.000123"),
        (1e9, "1,000,000,000"),
        (-3.2, "−3.20"),
        (9.999, "10.0"),
        (float("inf"), "∞"),
        (float("nan"), "–"),
    ],
)
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (4.2e-7, "s", "420 ns"),
        (5e-8, "s", "50 ns"),
        (999.96, "Hz", "1.00 kHz"),
        (1e8, "/s", "100 M/s"),
        (0.09, "W", "90 mW"),
        (0, "J", "0 J"),
    ],
)
def test_with_unit(value, unit, text):
    assert with_unit(value, unit) == text


def test_small_words():
    assert percent(0.97412) == "97.41 %" and percent(None) == "–" and percent(0.5, 0) == "50 %"
    assert bounds(Figure.exact(3)) == "" and bounds(Figure(2, 1, 4)) == "1 to 4"
    assert shape((28, 28, 1)) == "28×28×1"
    assert [duration(s) for s in (0.01, 3.0, 125, 4000)] == ["< 0.1 s", "3.0 s", "2 min 5 s", "1 h 6 min"]


def test_table_aligns_numbers_to_the_right():
    assert table(["name", "lut", "ok"], [["a", 12345, True], ["bcd", 7, False], ["x", None, None]]).splitlines() == [
        "name     lut  ok",
        "----  ------  ---",
        "a     12,345  yes",
        "bcd        7  no",
        "x          -  -",
    ]


def test_table_without_rows_and_with_a_short_row():
    assert table(["a", "b"], []) == "a  b\n-  -"
    with pytest.raises(ValueError, match="2 cells, the table 1"):
        table(["a"], [[1, 2]])


def test_cells():
    assert [cell_text(v) for v in (None, True, 3, -2.5, (2, 3), "s")] == ["-", "yes", "3", "-2.500", "2x3", "s"]
