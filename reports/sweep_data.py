"""What the page of a sweep shows, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field

from bitsmith.hls.results import Figure

Choice = bool | int | float | str

TEST, VALIDATION = "accuracy_test", "accuracy_validation"
"""Names of the two accuracies among figures: of rows that no strategy saw, and of those that the search chose by."""


@dataclass(frozen=True)
class SweepTrial:
    """A candidate.  ``figures`` are empty where it was not measured, ``reason`` then says why."""

    number: int
    state: str  # "pending" | "complete" | "failed" | "stopped" | "refused"
    choices: dict[str, Choice]
    figures: dict[str, float] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class PointSynth:
    """What synthesis reported of a point, or why it did not."""

    tool: str = ""
    version: str = ""
    figures: dict[str, float] = field(default_factory=dict)  # lut, ff, dsp, bram, fmax_mhz: those that it reported
    fits: bool | None = None
    netlist_exact: bool | None = None
    error: str = ""


@dataclass(frozen=True)
class FrontPoint:
    """A trial that nobody dominates, built.  Cycles are those of the proof where there is one."""

    trial: int
    choices: dict[str, Choice]
    figures: dict[str, float]
    bounds: dict[str, Figure]  # of the estimate
    verified: bool
    error: str = ""  # why there is no proof
    synth: PointSynth | None = None
    page: str = ""  # of the point, relative to the sweep's folder; empty where there is none


@dataclass(frozen=True)
class Limit:
    """A largest cost, or a least accuracy (validation rows)."""

    name: str
    bound: float
    of_device: bool = False  # all that the device has


@dataclass(frozen=True)
class Progress:
    """The search after a trial; hypervolumes are shares of the box between ideal and reference."""

    trial: int
    full_trainings: float
    hypervolume: float
    hypervolume_test: float


@dataclass(frozen=True)
class SweepData:
    """Everything on the page; ``front`` is in the order of the table."""

    task: str
    board: str
    part: str  # of the board's device; empty for a board that is not known here
    objectives: tuple[str, ...]
    limits: tuple[Limit, ...]
    reference: dict[str, float]
    trials: tuple[SweepTrial, ...]
    front: tuple[FrontPoint, ...]
    progress: tuple[Progress, ...]
    full_trainings: float
    ideal: dict[str, float] = field(default_factory=dict)  # older sweeps do not say
    repeated: int = 0
    facts: dict[str, str] = field(default_factory=dict)  # seed, version, hashes: what makes it again
