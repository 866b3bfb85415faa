"""The sliding-window head with line buffers: all taps of a window in one beat."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bitsmith.hls.backends.rtl.folded.parts import Bits, Parameter, Part, Steps
from bitsmith.hls.backends.rtl.folded.windows import Window

LATENCY = 2
"""Cycles from a step to its put: one for the lines, one for the window."""


@dataclass(frozen=True)
class Walk:
    """The places that the head steps over, numbered row by row in lines of ``line`` places from ``start`` on.

    What is right of a row is also left of the next one.  (top, 0) is the first place of the image, (first_row,
    first_col) the last corner of the first window, all as (row, column) of the walk.
    """

    line: int
    start: int  # column in row 0
    top: int
    first_row: int
    first_col: int
    end: tuple[int, int]

    @property
    def steps(self) -> int:
        """Places per frame."""
        return self.end[0] * self.line + self.end[1] - self.start + 1


def turned(window: Window) -> Window:
    """A window over a single column as one over a single row, which needs no lines."""
    column = (window.size[1], window.kernel[1], window.places[1], window.before[1])
    if column != (1, 1, 1, 0):
        return window
    pairs = (window.size, window.places, window.kernel, window.strides, window.dilations, window.before)
    size, places, kernel, strides, dilations, before = ((b, a) for a, b in pairs)
    return Window(size, places, kernel, strides, dilations, before, window.repeats, window.ahead)


def has_lines(window: Window) -> bool:
    """Whether the head can make these windows: their last corner must not lie in the padding before the image."""
    width = (window.kernel[1] - 1) * window.dilations[1] + 1
    return window.repeats == (1, 1) and window.before[0] < window.extent and window.before[1] < width


def walk_of(window: Window) -> Walk:
    """The walk over the image of a turned ``window``; the module has the same formulas."""
    (rows, cols), (above, left) = window.size, window.before
    width = (window.kernel[1] - 1) * window.dilations[1] + 1
    first_col = width - 1 - left
    last_col = first_col + (window.places[1] - 1) * window.strides[1]
    line = max(cols, last_col + 1, cols + left)
    top = above + (left > 0)
    first_row = top + window.extent - 1 - above
    last_row = first_row + (window.places[0] - 1) * window.strides[0]
    end = max((last_row, last_col), (top + rows - 1, cols - 1))
    return Walk(line, line - left if left else 0, top, first_row, first_col, end)


def line_steps(window: Window) -> int:
    """Cycles per frame."""
    return walk_of(turned(window)).steps


def line_memory(window: Window) -> tuple[int, int]:
    """(words, places of the image in a word) of the lines; no words where there are none."""
    window = turned(window)
    above = window.kernel[0] - 1
    return (window.dilations[0] * walk_of(window).line, above) if above else (0, 0)


def line_registers(window: Window) -> int:
    """Places of the image that stand in the registers of the window."""
    window = turned(window)
    return window.kernel[0] * ((window.kernel[1] - 1) * window.dilations[1] + 1)


def line_window_head(window: Window, lanes: int, bits: int, pad: int = 0) -> Part:
    """The head that turns an image, all ``lanes`` channels of a place in a beat, into windows of one beat each.

    The lanes that go out are (tap, channel) in this order.  ``pad`` is the integer that stands outside of the image.
    """
    assert has_lines(window), "the padding is as large as the window"
    window = turned(window)
    params: dict[str, Parameter] = {
        "WIDTH": lanes * bits,
        "ROWS": window.size[0],
        "COLS": window.size[1],
        "KH": window.kernel[0],
        "KW": window.kernel[1],
        "SH": window.strides[0],
        "SW": window.strides[1],
        "DH": window.dilations[0],
        "DW": window.dilations[1],
        "PT": window.before[0],
        "PL": window.before[1],
        "OH": window.places[0],
        "OW": window.places[1],
        "PAD": Bits(sum((pad % (1 << bits)) << (i * bits) for i in range(lanes)), lanes * bits),
    }
    return Part("bitsmith_line_window", params, LATENCY, lanes * window.taps, bits, steps=_steps(window))


def window_with_lines(head: Part) -> tuple[Window, int]:
    """The turned window of such a head, and the bits of a place."""
    v = {name: int(value) for name, value in head.params.items() if isinstance(value, int)}
    names = (("ROWS", "COLS"), ("OH", "OW"), ("KH", "KW"), ("SH", "SW"), ("DH", "DW"), ("PT", "PL"))
    size, places, kernel, strides, dilations, before = ((v[a], v[b]) for a, b in names)
    return Window(size, places, kernel, strides, dilations, before), v["WIDTH"]


def _steps(window: Window) -> Steps:
    walk = walk_of(window)
    rows = walk.top + np.arange(window.size[0])
    takes = (rows[:, None] * walk.line + np.arange(window.size[1])).reshape(-1) - walk.start
    needs = takes.copy()
    needs[0] = 0  # a frame starts when its first beat is on offer
    down = walk.first_row + np.arange(window.places[0]) * window.strides[0]
    across = walk.first_col + np.arange(window.places[1]) * window.strides[1]
    issues = (down[:, None] * walk.line + across).reshape(-1) - walk.start
    assert len(takes) == math.prod(window.size) and issues[0] >= takes[0], "a window before its image"
    return Steps(walk.steps, (needs,), (takes,), issues)
