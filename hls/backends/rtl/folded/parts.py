"""What a stage is put together from: library modules with their parameters and ROMs."""

from __future__ import annotations

from dataclasses import dataclass, field

from bitsmith.models.ir.types import IntArray


@dataclass(frozen=True, eq=False)
class Rom:
    """Contents of a ROM: ``words`` (depth, lanes), each lane of ``bits`` bits, lane 0 in the lowest bits of a word."""

    words: IntArray
    bits: int  # of one lane, two's complement


@dataclass(frozen=True)
class Bits:
    """A sized literal: ``width'h...``; ``value`` is taken modulo ``2**width``."""

    value: int
    width: int


Parameter = int | str | Bits


@dataclass(frozen=True)
class Cost:
    """Cells before synthesis, by a model; ``bram`` in the family's own blocks."""

    lut: float = 0.0
    ff: float = 0.0
    dsp: float = 0.0
    bram: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.lut + other.lut, self.ff + other.ff, self.dsp + other.dsp, self.bram + other.bram)


@dataclass(frozen=True, eq=False)
class Buffer:
    """A memory that a head fills beat by beat as they come, apart from its steps, which read it.

    Pairs of (step, beat of the same frame, below zero: of one before), ascending without repetition in what waits.
    """

    count: int  # beats per frame
    filled: tuple[IntArray, IntArray]  # step, and the beat whose writing it waits for
    freed: tuple[IntArray, IntArray]  # beat, and the step that makes room for it
    filled_delay: int = 1
    freed_delay: int = 2


@dataclass(frozen=True, eq=False)
class Steps:
    """What a head does in a frame, step by step: for the exact prediction of cycles.

    A step happens in one cycle, ``gap`` cycles after the one before it at the
    earliest, when the beats it needs are on offer and, if it issues, there is room.
    """

    count: int  # steps per frame
    needs: tuple[IntArray, ...]  # per input, for every beat of a frame: the first step that needs it on offer
    pops: tuple[IntArray, ...]  # per input, for every beat of a frame: the step that takes it
    issues: IntArray  # for every output beat of a frame: the step that issues it
    gap: int = 1
    buffer: Buffer | None = None  # where the input goes into a memory; needs and pops are empty then


@dataclass(frozen=True, eq=False)
class Part:
    """One instance of a library module: a head, which starts beats, or a pipe, which changes them on their way."""

    module: str
    params: dict[str, Parameter]
    latency: int  # cycles from issue (head) or put (pipe) to its own put
    lanes: int  # of its output
    bits: int  # of one such lane
    roms: dict[str, Rom] = field(default_factory=dict)  # parameter that takes the file name -> contents
    interval: int = 1  # a pipe that takes a beat every so many cycles at most
    sources: tuple[str, ...] = ()  # library modules that it instantiates
    steps: Steps | None = None  # heads only
    cost: Cost = Cost()
    texts: dict[str, str] = field(default_factory=dict)  # modules written for this design alone: name -> text
