"""A folded design: stages, and the streams between them.

A stage is a head, which takes beats and starts new ones, the pipes that change
them on their way, and one outlet per reader: a FIFO whose places the head
reserves before it starts a beat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bitsmith.hls.backends.rtl.folded.parts import Part, Steps
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir import QNet
from bitsmith.models.ir.ops import Op


@dataclass(frozen=True)
class StreamType:
    """What a beat carries: ``lanes`` integers of ``bits`` bits, lane 0 in the lowest ones; ``beats`` in a frame."""

    beats: int
    lanes: int
    bits: int
    signed: bool

    @property
    def width(self) -> int:
        """Bits of a beat."""
        return self.lanes * self.bits

    @property
    def bytes(self) -> int:
        """Whole bytes that hold a beat."""
        return (self.width + 7) // 8


@dataclass(frozen=True)
class Edge:
    """A stream from a stage to a port of another; None is the outside."""

    producer: str | None
    consumer: str | None
    port: int
    stream: StreamType


@dataclass(frozen=True, eq=False)
class Stage:
    """A head with its pipes.  ``ops`` names what they compute: (op, how many pipes are behind the head then)."""

    name: str
    head: Part
    pipes: tuple[Part, ...]
    ops: tuple[tuple[Op, int], ...]

    @property
    def last(self) -> Part:
        """The part whose output the stage offers."""
        return self.pipes[-1] if self.pipes else self.head

    @property
    def steps(self) -> Steps:
        """What the head does in a frame."""
        assert self.head.steps is not None, f"{self.head.module} is a pipe"
        return self.head.steps

    @property
    def latency(self) -> int:
        """Cycles from a beat's issue to its arrival at the outlets."""
        return self.head.latency + sum(p.latency for p in self.pipes)

    @property
    def spacing(self) -> int:
        """Least cycles between two beats that the head issues."""
        return spacing_of(self.steps)


@dataclass(frozen=True, eq=False)
class Structure:
    """All stages in the order of the net, and all streams."""

    net: QNet
    hw: HwConfig
    stages: dict[str, Stage]
    edges: tuple[Edge, ...]

    @property
    def input(self) -> StreamType:
        """What the design takes."""
        return next(e.stream for e in self.edges if e.producer is None)

    @property
    def output(self) -> StreamType:
        """What the design offers."""
        return next(e.stream for e in self.edges if e.consumer is None)

    def into(self, stage: str) -> list[Edge]:
        """The streams that a stage reads, by port."""
        return sorted((e for e in self.edges if e.consumer == stage), key=lambda e: e.port)

    def out_of(self, stage: str) -> list[Edge]:
        """The streams that a stage offers, one per reader."""
        return [e for e in self.edges if e.producer == stage]


def spacing_of(steps: Steps) -> int:
    """Least cycles between two issues, the next frame's first included."""
    ring = np.append(steps.issues, steps.issues[0] + steps.count)
    return int(np.diff(ring).min()) * steps.gap
