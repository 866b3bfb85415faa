"""What the stages hand to each other and to the reports: plain frozen results."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bitsmith.models.ir.types import IntArray


@dataclass(frozen=True)
class Problem:
    """Something that stands in a backend's way: which op, what is wrong, what helps."""

    op: str
    text: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.op}: {self.text}; {self.remedy}"


@dataclass(frozen=True)
class Project:
    """A written firmware project: its folder and its files, relative to the folder."""

    folder: Path
    backend: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    """An estimated number with the bounds that it is claimed to lie in (``low <= value <= high``)."""

    value: float
    low: float
    high: float

    def __add__(self, other: Figure) -> Figure:
        return Figure(self.value + other.value, self.low + other.low, self.high + other.high)

    @classmethod
    def exact(cls, value: float) -> Figure:
        """A number that is known."""
        return cls(value, value, value)

    def as_json(self) -> dict[str, float]:
        """``{value, low, high}``."""
        return {"value": self.value, "low": self.low, "high": self.high}


ZERO = Figure.exact(0.0)


@dataclass(frozen=True)
class OpCount:
    """Work and storage of one op, counted from the integers themselves; no hardware is assumed."""

    op: str
    kind: str
    shape: tuple[int, ...]  # of the output, without the batch
    type: str  # of the output, as text
    macs: int  # multiplications with a weight, per inference
    nonzero_macs: int  # those whose weight is not zero
    bit_ops: int  # nonzero_macs * weight bits * input bits
    weights: int  # elements of the weight array
    nonzero_weights: int
    weight_bits: int  # width of one weight; 0 where there is none
    params: int  # weights, biases, thresholds, table entries
    stored_bits: int  # what storing all of them plainly takes

    @property
    def sparsity(self) -> float:
        """Share of the weights that are zero; 0 where there are none."""
        return 1.0 - self.nonzero_weights / self.weights if self.weights else 0.0


@dataclass(frozen=True)
class LayerCost:
    """Price of one op; the rows of an estimate add up to its totals."""

    op: str
    kind: str
    lut: Figure = ZERO
    ff: Figure = ZERO
    dsp: Figure = ZERO
    bram: Figure = ZERO  # 18-kbit halves, or the family's own block
    latency_cycles: int = 0
    detail: str = ""


@dataclass(frozen=True)
class Estimate:
    """Price of a design before synthesis.  Each figure has bounds; ``calibration`` names what they rest on."""

    backend: str
    device: str
    lut: Figure
    ff: Figure
    dsp: Figure
    bram: Figure
    latency_cycles: Figure
    ii_cycles: Figure
    fmax_mhz: Figure
    latency_ns: Figure
    throughput_per_s: Figure
    power_mw: Figure
    energy_uj: Figure
    fits: bool
    binding: str  # the resource with the largest share of the device
    layers: tuple[LayerCost, ...]
    calibration: str
    static_mw: Figure = ZERO  # what of the power flows when nothing changes; the rest is dynamic
    dynamic_mw: Figure = ZERO
    energy_static_uj: Figure = ZERO
    energy_dynamic_uj: Figure = ZERO
    power_source: str = ""  # what power and energy rest on; begins with "model"


@dataclass(frozen=True)
class MemoryUse:
    """One memory of a fixed accelerator, in bytes."""

    name: str
    used: Figure
    available: int

    @property
    def share(self) -> float:
        """Used over available."""
        return self.used.value / self.available


@dataclass(frozen=True)
class AcceleratorLayer:
    """Price of one layer of a fixed accelerator; the rows' cycles add up to the latency."""

    op: str
    kind: str
    latency_cycles: Figure
    macs: int = 0
    weight_bytes: int = 0
    output_bytes: int = 0
    detail: str = ""


@dataclass(frozen=True)
class AcceleratorEstimate:
    """Price of a net on a board with a fixed accelerator.  ``calibration`` names what the figures rest on."""

    board: str
    title: str
    device: str
    latency_cycles: Figure
    ii_cycles: Figure  # one inference after the other
    fmax_mhz: Figure  # the documented clock
    latency_ns: Figure
    throughput_per_s: Figure
    power_mw: Figure  # while it computes
    sleep_mw: Figure  # between inferences
    energy_uj: Figure
    utilisation: Figure  # multiplications done over those that the array could do; 0 where there is no array
    fits: bool
    binding: str  # the memory with the largest share
    headroom: float  # its size over what is used: below 1, the net has to shrink by this factor; above, it may grow
    memory: tuple[MemoryUse, ...]
    problems: tuple[Problem, ...]
    exact_integers: bool  # whether the device computes the integers of the net itself
    exactness: str  # why, or why not
    layers: tuple[AcceleratorLayer, ...]
    calibration: str


@dataclass(frozen=True)
class Duty:
    """A sensor node that infers ``rate_per_s`` times a second and rests in between."""

    rate_per_s: float
    mean_power_mw: Figure
    share: Figure  # of the time that it computes
    energy_uj: Figure  # per inference, rest included
    battery_days: Figure | None = None


@dataclass(frozen=True)
class Mismatch:
    """The first difference in the order of the graph: op, position in its output, and both integers."""

    op: str
    row: int
    index: tuple[int, ...]
    expected: int
    got: int

    def __str__(self) -> str:
        return f"op {self.op}, row {self.row}, index {list(self.index)}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True, eq=False)
class Simulation:
    """What an engine computed for a batch of rows."""

    engine: str  # tool and version
    outputs: IntArray  # (n, *output shape)
    latency_cycles: int | None = None  # first input beat taken to its result offered; None if the engine has no clock
    ii_cycles: int | None = None  # cycles between two results under full load
    values: dict[str, IntArray] = field(default_factory=dict)  # outputs of inner ops, when asked for


@dataclass(frozen=True)
class VerifyResult:
    """Proof, or the first difference, of a project against ``execute``."""

    exact: bool
    samples: int
    engine: str
    net_sha256: str
    latency_cycles: int | None
    ii_cycles: int | None
    mismatch: Mismatch | None
    seconds: float


@dataclass(frozen=True)
class Placement:
    """Place and route of the design inside something that has pins: a wrapper, or the board's complete top."""

    top: str
    wrapped: bool  # by shift registers, out of context; else the board's top with its pins
    tool: str
    version: str
    target_mhz: float
    clocks_mhz: dict[str, float]  # reached, per clock
    used: dict[str, tuple[int, int]]  # the tool's cell types: used by all of it, there
    added: dict[str, int]  # lut, ff, dsp, bram that stand around the design
    routed: bool
    reason: str  # why it is not, if it is not
    seconds: float


@dataclass(frozen=True)
class SynthReport:
    """What synthesis tools reported of a design; None where they do not say.

    ``lut``, ``ff``, ``dsp`` and ``bram`` are of the design alone, without what
    is put around it for place and route, as ``tool`` counts them.
    """

    tool: str
    version: str
    lut: int | None
    ff: int | None
    dsp: int | None
    bram: int | None
    fmax_mhz: float | None
    fits: bool | None
    bitstream: str | None
    seconds: float
    layers: dict[str, int] = field(default_factory=dict)  # LUTs per op, where hierarchy was kept
    sources: dict[str, str] = field(default_factory=dict)  # figure -> report file it was read from, tool and version
    tools: dict[str, str] = field(default_factory=dict)  # every tool that ran -> its version
    binding: str = ""  # the resource with the largest share of the device
    netlist_exact: bool | None = None  # the mapped netlist, simulated against ``execute``
    netlist_samples: int = 0
    netlist_mismatch: str = ""
    place_and_route: Placement | None = None
    uram: int | None = None  # 288-kbit UltraRAM blocks, where the device has any


@dataclass(frozen=True)
class ToolEstimate:
    """What another tool's own cost model says of a project, before any synthesis."""

    tool: str
    version: str
    basis: str  # what the tool's figures rest on
    ii_cycles: int
    latency_cycles: int
    lut: float
    dsp: float
    bram: float  # 18-kbit halves


Json = dict[str, Any]
