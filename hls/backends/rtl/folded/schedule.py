"""The exact cycles of a folded design, from its structure alone.

Every head walks through its steps as early as it can: a step waits for the one
before it, for the beats it needs and for room at its outlets.  So the times are
the least solution of a system of inequalities ``t[a] >= t[b] + delay`` (a timed
marked graph; Baccelli, Cohen, Olsder, Quadrat: Synchronization and Linearity,
1992, chapter 2), and no stall pattern can change the order of anything: a
design that finishes its frames in one schedule can never deadlock in another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bitsmith.hls.backends.rtl.folded.least import Least, Line, Link
from bitsmith.models.ir.types import IntArray

LATER = 1 << 60


@dataclass(frozen=True, eq=False)
class Wait:
    """Steps ``at`` of a process come ``delay`` cycles after steps ``on`` of the process ``other``, or later.

    Both number steps within one frame; ``on`` below zero is of a frame before.  ``at`` ascends, without repetition.
    """

    at: IntArray
    other: int
    on: IntArray
    delay: int


@dataclass(frozen=True, eq=False)
class Process:
    """``count`` steps per frame, one after the other, ``gap`` cycles apart at least."""

    name: str
    count: int
    gap: int = 1
    waits: tuple[Wait, ...] = ()
    not_before: IntArray | None = None  # (frames * count,) earliest cycles, for a paced source


class Times:
    """Earliest cycle of every step that anything waits for or at, over several frames."""

    def __init__(self, processes: Sequence[Process], frames: int) -> None:
        self.processes = processes
        self.frames = frames
        self.events = _events(processes)
        self.rank = [_spread(p.count, e) for p, e in zip(processes, self.events, strict=True)]
        self.offset = [
            (np.arange(frames)[:, None] * p.count + e).ravel() * p.gap
            for p, e in zip(processes, self.events, strict=True)
        ]
        self.waits = [[self._resolve(p, number, w) for w in p.waits] for number, p in enumerate(processes)]
        least = Least([self._line(number) for number in range(len(processes))], frames, self._back(), self._longest())
        self.times = [t.ravel() for t in least.times]

    def at(self, process: int, steps: IntArray, times: list[IntArray] | None = None) -> IntArray:
        """Cycles (frames, len(steps)) of ``steps`` (numbered within a frame) of a process; of ``times`` if given."""
        per_frame = (times or self.times)[process].reshape(self.frames, -1)
        found: IntArray = per_frame[:, self.rank[process][steps]]
        return found

    def _index(self, process: int, steps: IntArray) -> IntArray:
        """Positions in ``times`` of steps numbered from the first frame on; -1 for those of no frame."""
        count = self.processes[process].count
        frame, step = np.divmod(steps, count)
        index = frame * len(self.events[process]) + self.rank[process][step]
        return np.where((frame < 0) | (frame >= self.frames), -1, index)

    def _resolve(self, p: Process, number: int, wait: Wait) -> Link:
        frames = np.arange(self.frames)[:, None]
        at = self._index(number, (frames * p.count + wait.at).ravel())
        on = self._index(wait.other, (frames * self.processes[wait.other].count + wait.on).ravel())
        real = on >= 0
        return Link(at[real], wait.other, on[real], wait.delay)

    def _line(self, number: int) -> Line:
        p, offset = self.processes[number], self.offset[number].reshape(self.frames, -1)
        floor = None if p.not_before is None else p.not_before[offset // p.gap]
        return Line(p.name, offset, floor, tuple(self.waits[number]))

    def _back(self) -> int:
        """How many frames back anything waits."""
        return 1 + max((self._frames_back(w.other, w.on) for p in self.processes for w in p.waits), default=0)

    def repeats(self, start: int) -> tuple[int, int] | None:
        """(frame after ``start``, period) from which on everything repeats, later by the same; None if not yet.

        A frame depends on the few before it that its steps wait for.  Where so many frames in a row are those of a
        period before, all of them later by as much, all that follow are so too.
        """
        state = np.concatenate([t.reshape(self.frames, -1) for t in self.times], axis=1)
        back = self._back()
        for period in range(1, self.frames - start - back + 1):
            later = state[period:] - state[:-period]
            even = (later == later[:, :1]).all(axis=1) & (later[:, 0] == later[-1, 0])
            if not even[-back:].all() or len(even) < back:
                continue
            uneven = np.flatnonzero(~even)
            first = int(uneven[-1]) + 1 if len(uneven) else 0
            return max(0, first - start), period
        return None

    def _frames_back(self, other: int, on: IntArray) -> int:
        return max(0, -int(np.min(on)) // self.processes[other].count + 1) if len(on) else 0

    def latest(self, sink: int) -> list[IntArray]:
        """Latest cycles of all steps for which those of ``sink`` stay as they are: nothing is made before its time."""
        late = [np.full_like(t, LATER) for t in self.times]
        late[sink] = self.times[sink].copy()
        todo, queued = deque(range(len(late))), [True] * len(late)
        while todo:
            number = todo.popleft()
            queued[number] = False
            for wait in self.waits[number]:
                other = wait.other
                before = late[other].copy()
                back = wait.on[::-1]  # of several that wait for the same step, the first is written last: it counts
                before[back] = np.minimum(before[back], late[number][wait.at[::-1]] - wait.delay)
                offset = self.offset[other]
                before = np.minimum.accumulate((before - offset)[::-1])[::-1] + offset
                if (before != late[other]).any():
                    late[other] = before
                    if not queued[other]:
                        queued[other] = True
                        todo.append(other)
        return [np.where(v > LATER // 2, t, v) for v, t in zip(late, self.times, strict=True)]

    def _longest(self) -> int:
        """Cycles within which a frame is done, if it can be done at all: never two things at once."""
        steps = sum(p.count * p.gap for p in self.processes)
        return steps + sum(len(w.at) * w.delay for p in self.processes for w in p.waits)


def _events(processes: Sequence[Process]) -> list[IntArray]:
    """Per process the steps that matter: all others follow from them."""
    found: list[list[IntArray]] = [[np.array([0, p.count - 1], np.int64)] for p in processes]
    for number, p in enumerate(processes):
        for w in p.waits:
            found[number].append(w.at)
            found[w.other].append(w.on % processes[w.other].count)
    return [np.unique(np.concatenate(parts)) for parts in found]


def _spread(count: int, events: IntArray) -> IntArray:
    """Step -> its place among ``events``; meaningless for steps that are none."""
    place = np.zeros(count, np.int64)
    place[events] = np.arange(len(events))
    return place
