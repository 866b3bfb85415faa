"""Depths of all FIFOs, and the exact cycles of a design: by :mod:`schedule`, from its stages and streams."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bitsmith.hls.backends.rtl.folded.design import Edge, Structure
from bitsmith.hls.backends.rtl.folded.parts import Buffer
from bitsmith.hls.backends.rtl.folded.schedule import Process, Times, Wait
from bitsmith.models.ir.types import IntArray

MAX_FRAMES = 256
STEADY = 4
"""So often a pattern of distances between results must repeat until it is taken for good."""

PATIENCE = 128
"""Frames that a whole state is waited for; from then on the distances of the results must do."""

EVEN = 8
"""Frames that a schedule is looked at for, at least, to find how it repeats."""

Depths = dict[Edge, int]


@dataclass(frozen=True)
class Cycles:
    """Cycles at full load: the input always on offer, the output always taken.

    ``done``: cycles from the first beat taken to the last beat of each frame's result offered, for the first frames;
    from then on the distances from one result to the next repeat ``distances``.
    """

    done: tuple[int, ...]
    distances: tuple[int, ...]

    @property
    def ii_cycles(self) -> int:
        """Cycles between two results once it runs evenly; the longer ones where they alternate."""
        return max(self.distances)

    @property
    def latency_cycles(self) -> int:
        """From the first beat taken to the first result complete."""
        return self.done[0]

    def predict(self, frames: int) -> list[int]:
        """``done`` for so many frames."""
        done = list(self.done)
        while len(done) < frames:
            done.append(done[-1] + self.distances[(len(done) - len(self.done)) % len(self.distances)])
        return done[:frames]


def busiest(structure: Structure) -> int:
    """Cycles per frame that the busiest unit or stream takes: no II can be below."""
    loads = [e.stream.beats for e in structure.edges]
    for stage in structure.stages.values():
        loads.append(stage.steps.count * stage.steps.gap)
    return max(loads)


def fifo_depths(structure: Structure) -> Depths:
    """The places that every stream needs for the II of the busiest unit.

    First all FIFOs are endless, the input comes at an even pace, and everything is as
    early as it can be; then, with the results at the same cycles, as late as it can be, so
    that no beat is made before its time.  What the FIFOs then hold is enough, for a schedule
    with these depths exists, and the self-timed one is never later.  So neither can the
    design deadlock, whoever stalls.
    """
    pace = busiest(structure)
    frames = EVEN
    while True:
        graph = _Graph(structure, None, pace, frames)
        times = Times(graph.processes, frames)
        done = times.at(graph.sink, graph.last_beat)[:, 0]
        distance = np.diff(done)
        on_their_way = math.ceil(int(done[0]) / pace)  # frames that the design holds at once
        if frames < EVEN + 2 * on_their_way:
            frames = EVEN + 2 * on_their_way
            continue
        if (distance[-EVEN // 2 :] == pace).all():
            break
        if frames >= MAX_FRAMES + 2 * on_their_way:
            pace = int(distance[-frames // 2 :].max())  # a memory between two units holds the design up
            frames = EVEN
        else:
            frames *= 2
    late = times.latest(graph.sink)
    return {e: _places(graph, times, late, e) for e in structure.edges if e.producer is not None}


def exact_cycles(structure: Structure, depths: Depths) -> Cycles:
    """Latency and II with FIFOs of these ``depths``."""
    pace = busiest(structure)
    held = _frames_held(structure, depths)  # only when all is full, the stalls are felt at the input
    frames = held + STEADY + 2
    while True:
        graph = _Graph(structure, depths, 0, frames)
        times = Times(graph.processes, frames)
        done = times.at(graph.sink, graph.last_beat)[:, 0] - graph.first_taken(times)
        found = _repeating([int(d) for d in np.diff(done)[held:]])
        if found is not None and int(np.diff(done)[-1]) > pace:
            # Not the busiest unit but a loop of several holds it up: then equal distances say little, for a shorter or
            # a longer one may follow every so many frames.  The whole state must repeat, which may take very long
            # where a large FIFO fills slowly.
            found = times.repeats(held) or (found if frames >= held + PATIENCE else None)
        if found is not None:
            first, period = held + found[0], found[1]
            distances = np.diff(done)[first : first + period]
            return Cycles(tuple(int(d) for d in done[: first + 1]), tuple(int(d) for d in distances))
        assert frames < held + MAX_FRAMES, f"{structure.net.name}: results never come at even distances"
        frames = held + 2 * (frames - held)


def _frames_held(structure: Structure, depths: Depths) -> int:
    """More frames than all FIFOs and line buffers can hold together."""
    places = sum(depth / e.stream.beats for e, depth in depths.items())
    buffers = sum(2 for stage in structure.stages.values() if stage.steps.buffer is not None)
    return math.ceil(places) + buffers + 1


def _repeating(distances: list[int]) -> tuple[int, int] | None:
    """(index, period) from which on the distances repeat, at least STEADY times; None if they do not yet."""
    for period in range(1, len(distances) // STEADY + 1):
        first = len(distances) - period
        while first > 0 and distances[first - 1] == distances[first - 1 + period]:
            first -= 1
        if len(distances) - first >= STEADY * period:
            return first, period
    return None


class _Graph:
    """Processes of all stages: a head's steps, the filling of its buffer, the source and the sink."""

    def __init__(self, structure: Structure, depths: Depths | None, pace: int, frames: int) -> None:
        self.structure = structure
        self.processes: list[Process] = []
        self.reader: dict[str, int] = {}
        self.writer: dict[str, int] = {}
        for stage in structure.stages.values():
            self.reader[stage.name] = self._add(Process(stage.name, stage.steps.count, stage.steps.gap))
            if stage.steps.buffer is not None:
                self.writer[stage.name] = self._add(Process(f"{stage.name} buffer", stage.steps.buffer.count))
        out = next(e for e in structure.edges if e.consumer is None)
        self.sink = self._add(Process("output", out.stream.beats))
        self.last_beat = np.array([out.stream.beats - 1])
        self.source = -1
        if pace:
            self.source = self._add(
                Process("input", structure.input.beats, not_before=_paced(structure.input.beats, pace, frames))
            )
        for name, stage in structure.stages.items():
            self._join_buffer(name, stage.steps.buffer)
        for edge in structure.edges:
            self._join(edge, None if depths is None else depths.get(edge))

    def _add(self, process: Process) -> int:
        self.processes.append(process)
        return len(self.processes) - 1

    def _wait(self, number: int, wait: Wait) -> None:
        p = self.processes[number]
        self.processes[number] = Process(p.name, p.count, p.gap, (*p.waits, wait), p.not_before)

    def _join_buffer(self, name: str, buffer: Buffer | None) -> None:
        if buffer is None:
            return
        reader, writer = self.reader[name], self.writer[name]
        self._wait(reader, Wait(buffer.filled[0], writer, buffer.filled[1], buffer.filled_delay))
        self._wait(writer, Wait(buffer.freed[0], reader, buffer.freed[1], buffer.freed_delay))

    def takes(self, edge: Edge) -> tuple[int, IntArray, IntArray]:
        """(process, steps that first need each beat, steps that take it) of the reader of a stream."""
        every = np.arange(edge.stream.beats)
        if edge.consumer is None:
            return self.sink, every, every
        if edge.consumer in self.writer:
            return self.writer[edge.consumer], every, every
        steps = self.structure.stages[edge.consumer].steps
        return self.reader[edge.consumer], steps.needs[edge.port], steps.pops[edge.port]

    def _join(self, edge: Edge, depth: int | None) -> None:
        consumer, needs, pops = self.takes(edge)
        if edge.producer is None:
            self._wait(consumer, Wait(pops[:1], consumer, needs[:1], 0))  # nothing new, but first_taken asks for it
            if self.source >= 0:
                self._wait(consumer, Wait(needs, self.source, np.arange(edge.stream.beats), 0))
            return
        stage = self.structure.stages[edge.producer]
        producer, issues = self.reader[edge.producer], stage.steps.issues
        self._wait(consumer, Wait(needs, producer, issues, stage.latency + 1))
        if depth is not None:
            frame, beat = np.divmod(np.arange(edge.stream.beats) - depth, edge.stream.beats)
            freed = frame * self.processes[consumer].count + pops[beat]
            self._wait(producer, Wait(issues, consumer, freed, 1))

    def first_taken(self, times: Times) -> int:
        """Cycle of the first beat taken from outside."""
        edge = next(e for e in self.structure.edges if e.producer is None)
        process, _, pops = self.takes(edge)
        return int(times.at(process, pops[:1])[0, 0])


def _paced(beats: int, pace: int, frames: int) -> IntArray:
    """Even times of the input's beats."""
    frame, beat = np.divmod(np.arange(frames * beats), beats)
    even: IntArray = frame * pace + beat * pace // beats
    return even


def _places(graph: _Graph, times: Times, late: list[IntArray], edge: Edge) -> int:
    """Most beats that are started and not yet taken, at the start of one."""
    assert edge.producer is not None
    consumer, _, pops = graph.takes(edge)
    issued = times.at(graph.reader[edge.producer], graph.structure.stages[edge.producer].steps.issues, late).ravel()
    taken = times.at(consumer, pops, late).ravel() + 1  # a place is free in the cycle after its beat was taken
    free = np.searchsorted(taken, issued, side="right")
    return max(1, int((np.arange(1, len(issued) + 1) - free).max()))
