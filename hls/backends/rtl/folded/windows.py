"""The sliding-window head of convolution, pooling, padding and repetition."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bitsmith.hls.backends.rtl.folded.parts import Bits, Buffer, Parameter, Part, Steps
from bitsmith.models.ir.ops import Conv, Op, Pad, Pads, Pool, Shape, Upsample
from bitsmith.models.ir.types import IntArray

LATENCY = 2
"""Cycles from a step to its put: one for the address, one for the memory."""


@dataclass(frozen=True)
class Window:
    """A window over an image of (rows, cols); a 1-D signal is one column."""

    size: tuple[int, int]
    places: tuple[int, int]  # windows down and across
    kernel: tuple[int, int] = (1, 1)
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    before: tuple[int, int] = (0, 0)  # padding above and to the left
    repeats: tuple[int, int] = (1, 1)
    ahead: int = 1  # rows of windows for which input may come in ahead

    @property
    def taps(self) -> int:
        """Places under the window."""
        return math.prod(self.kernel)

    @property
    def extent(self) -> int:
        """Rows that the window reaches over."""
        return (self.kernel[0] - 1) * self.dilations[0] + 1

    @property
    def buffer_rows(self) -> int:
        """Rows kept: those under the window, and those that come in for the next ones meanwhile."""
        return self.extent + self.ahead * max(1, min(self.strides[0], self.size[0]))

    @property
    def is_plain(self) -> bool:
        """Whether every place is its own window, so that there is nothing to do."""
        return self == Window(self.size, self.size, ahead=self.ahead)

    def first_rows(self) -> IntArray:
        """(windows down,) first input row under each row of windows; below zero in the padding."""
        row: IntArray = np.arange(self.places[0]) * self.strides[0] // self.repeats[0] - self.before[0]
        return row


def window_of(op: Op, shape: Shape) -> Window | None:
    """The window that ``op`` needs over its input of ``shape``; None if it needs none."""
    found: Window | None = None
    if isinstance(op, Conv):
        found = _window(shape, op.shape, op.kernel, op.strides, op.dilations, op.pads)
    elif isinstance(op, Pool):
        found = _window(shape, op.shape, op.window, op.strides, (1,) * len(op.window), op.pads)
    elif isinstance(op, Pad):
        ones = (1,) * len(op.pads)
        found = _window(shape, op.shape, ones, ones, ones, op.pads)
    elif isinstance(op, Upsample):
        rows, cols = _two(op.factors)
        found = Window(_two(shape[:-1]), _two(op.shape[:-1]), repeats=(rows, cols))
    return None if found is None or found.is_plain else found


def _two(axes: Shape) -> tuple[int, int]:
    return (axes[0], axes[1]) if len(axes) == 2 else (axes[0], 1)


def _window(shape: Shape, out: Shape, kernel: Shape, strides: Shape, dilations: Shape, pads: Pads) -> Window:
    before = tuple(p[0] for p in pads)
    zero_first = (before[0], before[1]) if len(before) == 2 else (before[0], 0)
    return Window(_two(shape[:-1]), _two(out[:-1]), _two(kernel), _two(strides), _two(dilations), zero_first)


def window_head(window: Window, outer: int, inner: int, lanes: int, bits: int, pad: int = 0) -> Part:
    """The head that turns an image into its windows.

    The input comes in ``outer * inner`` beats of ``lanes`` channels a place; out go, for every
    window and each of ``outer`` channel groups, all taps, and of each tap ``inner`` beats.
    ``pad`` is the integer that stands outside of the image.
    """
    assert window.repeats == (1, 1) or (window.taps == 1 and window.strides == (1, 1)), "repetition of single places"
    params: dict[str, Parameter] = {
        "WIDTH": lanes * bits,
        "ROWS": window.size[0],
        "COLS": window.size[1],
        "OUTER": outer,
        "INNER": inner,
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
        "UPH": window.repeats[0],
        "UPW": window.repeats[1],
        "BUF_ROWS": window.buffer_rows,
        "PAD": Bits(sum((pad % (1 << bits)) << (i * bits) for i in range(lanes)), lanes * bits),
    }
    steps = _steps(window, outer, inner)
    return Part("bitsmith_window", params, LATENCY, lanes, bits, sources=("bitsmith_count",), steps=steps)


def window_words(window: Window, folds: int) -> int:
    """Words of the buffer, for images of ``folds`` beats a place."""
    return window.buffer_rows * window.size[1] * folds


def _steps(window: Window, outer: int, inner: int) -> Steps:
    rows, cols = window.size
    row_beats = cols * outer * inner
    row_steps = window.places[1] * outer * window.taps * inner
    first = window.first_rows()
    count = window.places[0] * row_steps
    needed = np.clip(first + window.extent, 1, rows)  # complete rows that each row of windows waits for
    filled = (np.arange(window.places[0]) * row_steps, needed * row_beats - 1)
    # rows freed once row k of windows is done; the last one frees the rest
    freed_after = np.append(np.clip(first[1:], 0, rows), rows)
    waits = np.arange(rows) - window.buffer_rows + 1  # row r of the input waits until so many rows are freed
    frames_back, within = np.divmod(waits - 1, rows)
    row_of_windows = np.searchsorted(freed_after, within + 1)  # the first that has freed enough
    freed = (np.arange(rows) * row_beats, frames_back * count + (row_of_windows + 1) * row_steps - 1)
    return Steps(count, (), (), np.arange(count), buffer=Buffer(rows * row_beats, filled, freed))
