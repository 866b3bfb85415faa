"""Published designs beside our estimates: figures, ratios, and whether what was published lies within the bounds."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from bitsmith.hls.boards import load_board
from bitsmith.hls.config import Board, HwConfig
from bitsmith.hls.estimate.metrics import Score, score
from bitsmith.hls.results import Estimate, Figure
from bitsmith.models.ir import DoesNotFitError, InputError, QNet, QuantType

FIGURES = {
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram": "BRAM18",
    "latency_cycles": "latency, cycles",
    "ii_cycles": "II, cycles",
    "fmax_mhz": "Fmax, MHz",
    "throughput_per_s": "inferences/s (ours pipelined)",
    "alone_cycles": "cycles, one inference after the other",
}
"""What a publication may state, in the order of the table."""

ESTIMATED = ("lut", "ff", "dsp", "bram", "latency_cycles", "ii_cycles", "fmax_mhz")
"""Those that an estimate has by the same name."""

LARGER = 1000
"""How many times the device a design is priced on where it does not fit: all of it alike, so that choices stay."""


@dataclass(frozen=True)
class Stated:
    """A published number, and where it was seen: read, SECONDARY (somebody's transcript) or memory."""

    value: float
    mark: str


@dataclass(frozen=True)
class Point:
    """A published design and the choices that it is priced with.

    Either ``net`` (a network with random weights) or ``file`` (a model file) says what it computes.  ``clock_mhz`` is
    the target of the tool, ``run_mhz`` the clock at which it was measured (the same where left out).
    """

    name: str
    group: str
    backend: str
    board: str
    clock_mhz: float
    published: Mapping[str, Stated]
    source: str
    note: str
    net: str = ""
    file: str = ""
    head: Literal["logits", "argmax"] = "logits"
    input_type: QuantType | None = None
    board_note: str = ""
    run_mhz: float | None = None
    hls_tool: str = "vitis"
    io: str = "io_parallel"
    strategy: str = "latency"
    reuse: int = 1
    target_ii: int | None = None
    stage: Literal["vivado", "csynth"] = "vivado"
    own_ii: int | None = None  # most cycles per result of our own RTL beside it
    own_latency: int | None = None  # most cycles from input to result of it, where one inference follows the other

    @property
    def measured_mhz(self) -> float:
        """The clock that rates are of."""
        return self.clock_mhz if self.run_mhz is None else self.run_mhz

    def hw(self, board: Board | None = None) -> HwConfig:
        """The choices, on the published board or on ``board``."""
        return HwConfig(
            board or load_board(self.board),
            self.clock_mhz,
            self.backend,
            reuse=self.reuse,
            io=self.io,
            strategy=self.strategy,
            hls_tool=self.hls_tool,
            target_ii=self.target_ii,
        )


@dataclass(frozen=True)
class LeftOut:
    """A published design that cannot be priced, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Compared:
    """One published figure of one design beside ours."""

    design: str
    figure: str  # key of FIGURES
    stated: Stated
    ours: Figure

    @property
    def ratio(self) -> float | None:
        """Ours over published; None where nothing was used."""
        return self.ours.value / self.stated.value if self.stated.value else None

    @property
    def inside(self) -> bool:
        """Whether the published value lies within our bounds."""
        return self.ours.low <= self.stated.value <= self.ours.high


@dataclass(frozen=True)
class Priced:
    """Our figures of a point; ``refused`` says why its own board does not take it, where it is priced without limit."""

    point: Point
    figures: Mapping[str, Figure]
    refused: str = ""
    too_large: str = ""  # the resource of which the central estimate is more than the board has


def read_points(path: Path) -> tuple[tuple[Point, ...], tuple[LeftOut, ...]]:
    """The designs in the TOML file ``path``, and those that it lists as left out.  InputError for an unknown key."""
    data = tomllib.loads(path.read_text())
    points = tuple(_point(entry) for entry in data["point"])
    return points, tuple(LeftOut(**entry) for entry in data["left_out"])


def _point(entry: dict[str, Any]) -> Point:
    known = {f.name for f in fields(Point)}
    unknown = sorted((set(entry) - known) | (set(entry["published"]) - set(FIGURES)))
    if unknown:
        raise InputError(f"{entry['name']}: unknown key {', '.join(unknown)}; a design has {', '.join(sorted(known))}")
    kind = entry.get("input_type")
    published = {name: Stated(*entry["published"][name]) for name in FIGURES if name in entry["published"]}
    return Point(**{**entry, "published": published, "input_type": QuantType(**kind) if kind else None})


def without_limit(board: Board) -> Board:
    """``board`` with :data:`LARGER` times as much of everything."""
    d = board.device
    more = {name: LARGER * getattr(d, name) for name in ("lut", "ff", "dsp", "bram")}
    return replace(board, device=replace(d, **more))


def price_point(point: Point, net: QNet) -> Priced:
    """Our figures of ``net`` built as ``point`` says; what the board does not take is priced without its limit.

    DoesNotFitError if even that has no folding at the published rate.
    """
    cost, refused = estimated(net, point.hw())
    found = {name: getattr(cost, name) for name in ESTIMATED}
    if point.stage == "csynth":
        found |= _csynth(net, point.hw())
    ii, per_s = found["ii_cycles"], point.measured_mhz * 1e6
    found["throughput_per_s"] = Figure(per_s / ii.value, per_s / ii.high, per_s / ii.low)
    found["alone_cycles"] = found["latency_cycles"]
    return Priced(point, found, refused, "" if refused or cost.fits else cost.binding)


def estimated(net: QNet, hw: HwConfig) -> tuple[Estimate, str]:
    """The estimate, and why the board does not take the design if it had to be priced without the board's limit."""
    from bitsmith.hls.estimate import estimate

    try:
        return estimate(net, hw), ""
    except DoesNotFitError as error:
        return estimate(net, replace(hw, board=without_limit(hw.board))), str(error)


def _csynth(net: QNet, hw: HwConfig) -> dict[str, Figure]:
    """What csynth will report, in the place of what Vivado makes of it."""
    from bitsmith.hls.estimate.hls4ml.from_net import design_of_net
    from bitsmith.hls.estimate.hls4ml.price import price_design

    found = price_design(design_of_net(net, hw), vivado=False)
    areas = {name: found[name] for name in ("lut", "ff", "dsp", "bram")}
    # no design takes less than a cycle, as in the estimate
    cycles = {f"{name}_cycles": found[name] for name in ("latency", "ii")}
    return areas | {name: Figure(*(max(1.0, v) for v in (f.value, f.low, f.high))) for name, f in cycles.items()}


def compare(priced: Priced) -> list[Compared]:
    """Every published figure of the design beside ours."""
    return [
        Compared(priced.point.name, name, stated, priced.figures[name])
        for name, stated in priced.point.published.items()
    ]


def scores(rows: Sequence[Compared]) -> dict[str, Score]:
    """Errors per figure, over the designs that state it."""
    found = {}
    for name in FIGURES:
        mine = [row for row in rows if row.figure == name]
        if mine:
            ours = [row.ours for row in mine]
            values = ([f.value for f in ours], [f.low for f in ours], [f.high for f in ours])
            found[name] = score([row.stated.value for row in mine], *values)
    return found
