"""The least times that satisfy a system of waits, frame by frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bitsmith.models.ir.types import IntArray


@dataclass(frozen=True, eq=False)
class Line:
    """A process over all frames: events in their order, the same ones in each frame."""

    name: str
    offset: IntArray  # (frames, events) cycles from the first step on, if nothing held it up
    floor: IntArray | None  # (frames, events) earliest cycles, for a paced source
    waits: tuple[Link, ...]


@dataclass(frozen=True, eq=False)
class Link:
    """Events ``at`` come ``delay`` cycles after events ``on`` of the line ``other``, or later.

    Both number events from the first frame on; ``at`` ascends.
    """

    at: IntArray
    other: int
    on: IntArray
    delay: int

    def frames(self, events: int, of_other: int, frames: int) -> list[_Piece]:
        """Frame by frame: what waits for earlier frames, and what for the same one."""
        ends = np.searchsorted(self.at, np.arange(frames + 1) * events)
        pieces = []
        for frame in range(frames):
            at = self.at[ends[frame] : ends[frame + 1]] - frame * events
            on = self.on[ends[frame] : ends[frame + 1]]
            now = on >= frame * of_other
            pieces.append(_Piece(at[~now], on[~now], at[now], on[now] - frame * of_other, self.other, self.delay))
        return pieces


@dataclass(frozen=True, eq=False)
class _Piece:
    """A link within one frame; ``old_on`` numbers events from the first frame on, all others from that of this one."""

    old_at: IntArray
    old_on: IntArray
    at: IntArray
    on: IntArray
    other: int
    delay: int


class Least:
    """Fills ``times``, (frames, events) for each line."""

    def __init__(self, lines: Sequence[Line], frames: int, back: int, longest: int) -> None:
        """``back``: how many frames before its own one waits for; ``longest``: cycles within which a frame is done."""
        self.lines = lines
        self.frames = frames
        self.longest = longest
        self.times = [np.zeros_like(line.offset) for line in lines]
        events = [line.offset.shape[1] for line in lines]
        self.pieces = [
            [w.frames(events[n], events[w.other], frames) for w in line.waits] for n, line in enumerate(lines)
        ]
        self.readers = self._readers()
        steps: list[int] = []
        for frame in range(frames):
            self._begin(frame, min(steps[-back:], default=0))
            self._settle(frame)
            if frame:
                steps.append(min(int((t[frame] - t[frame - 1]).min()) for t in self.times))

    def _readers(self) -> list[list[int]]:
        """Per line, which lines wait for it."""
        found: list[set[int]] = [set() for _ in self.lines]
        for number, line in enumerate(self.lines):
            for wait in line.waits:
                found[wait.other].add(number)
        return [sorted(f) for f in found]

    def _begin(self, frame: int, step: int) -> None:
        """What is known of a frame without itself.

        Where all frames that it waits for come ``step`` cycles or more after the one before, so does the frame: the
        system is monotone, it is the same for every frame, and only the first has a beginning of its own.
        """
        for number, line in enumerate(self.lines):
            earliest = self.times[number][frame - 1] + step if frame else line.offset[0].copy()
            if line.floor is not None:
                earliest = np.maximum(earliest, line.floor[frame])
            for piece in (p[frame] for p in self.pieces[number]):
                before = self.times[piece.other].ravel()[piece.old_on] + piece.delay
                earliest[piece.old_at] = np.maximum(earliest[piece.old_at], before)
            if frame:
                gap = line.offset[frame, 0] - line.offset[frame - 1, -1]
                earliest[0] = max(earliest[0], self.times[number][frame - 1, -1] + gap)
            self.times[number][frame] = self._in_order(number, earliest)

    def _in_order(self, number: int, earliest: IntArray) -> IntArray:
        offset = self.lines[number].offset[0]
        ordered: IntArray = np.maximum.accumulate(earliest - offset) + offset
        return ordered

    def _settle(self, frame: int) -> None:
        """Raise every line to what it waits for within the frame, until nothing moves."""
        pieces = [[p[frame] for p in waits if len(p[frame].at)] for waits in self.pieces]
        now = [t[frame] for t in self.times]
        latest = max(int(t[-1]) for t in now) + self.longest
        todo, queued = deque(range(len(now))), [True] * len(now)
        while todo:
            number = todo.popleft()
            queued[number] = False
            earliest = now[number].copy()
            for p in pieces[number]:
                earliest[p.at] = np.maximum(earliest[p.at], now[p.other][p.on] + p.delay)
            settled = self._in_order(number, earliest)
            if (settled == now[number]).all():
                continue
            now[number][:] = settled
            if settled[-1] > latest:
                raise AssertionError(f"{self.lines[number].name} waits for itself: a deadlock")
            for reader in self.readers[number]:
                if not queued[reader]:
                    queued[reader] = True
                    todo.append(reader)
