"""What the report page shows, as one frozen value that survives a round trip through ``report.json``."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bitsmith.hls.config import Board
from bitsmith.hls.results import AcceleratorEstimate, Estimate, OpCount, SynthReport, ToolEstimate, VerifyResult
from bitsmith.models.ir import QNet, content_hash
from bitsmith.models.ir.errors import InputError
from bitsmith.models.ir.text import op_details

if TYPE_CHECKING:
    from pydantic import TypeAdapter

REPORT_JSON = "report.json"


@dataclass(frozen=True)
class Node:
    """One op in the picture of the network."""

    op: str
    kind: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    type: str  # of the output: ``i6*2^-4``
    bits: int
    detail: str = ""


@dataclass(frozen=True)
class NetPicture:
    """The graph of a net without its integers."""

    name: str
    sha256: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Accuracy:
    """Shares of one on ``rows`` test rows; None where it was not measured."""

    dataset: str
    rows: int
    float_model: float | None = None
    quantized_model: float | None = None  # by the training framework itself
    ip: float | None = None  # by the integers that the hardware's engine returned
    metric: str = "accuracy"


@dataclass(frozen=True)
class SourceProof:
    """The net against the framework that it was lowered from."""

    framework: str
    exact: bool
    samples: int
    max_abs_error: float


@dataclass(frozen=True)
class Design:
    """One backend's project and everything known about it; what was not done is None."""

    backend: str
    clock_mhz: float
    estimate: Estimate | None = None
    proof: VerifyResult | None = None
    synth: SynthReport | None = None
    folder: str = ""
    files: tuple[str, ...] = ()
    tool_estimate: ToolEstimate | None = None


@dataclass(frozen=True)
class StageTime:
    """How long a stage took; ``reused`` if its result of an earlier run was taken."""

    name: str
    seconds: float
    reused: bool = False


@dataclass(frozen=True)
class ReportData:
    """Everything on the page.  A section whose part is missing is left out.

    ``designs`` are in the order of importance: the headline speaks of the first.
    """

    title: str
    created: str  # ISO date and time
    command: str  # the line that makes all of this again
    board: Board
    net: NetPicture | None = None
    counts: tuple[OpCount, ...] = ()
    accuracy: Accuracy | None = None
    source: SourceProof | None = None
    designs: tuple[Design, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    stages: tuple[StageTime, ...] = ()
    summary: str = ""  # one sentence on the task
    accelerators: tuple[AcceleratorEstimate, ...] = ()  # the same net on boards that are none of an FPGA


def net_picture(net: QNet) -> NetPicture:
    """The graph of ``net``, for the page."""
    nodes = tuple(
        Node(op.name, op.kind, op.inputs, op.shape, str(op.type), op.type.bits, op_details(op)) for op in net.ops
    )
    return NetPicture(net.name, content_hash(net), nodes)


@cache
def _adapter() -> TypeAdapter[ReportData]:
    from pydantic import TypeAdapter

    return TypeAdapter(ReportData)


def save_report(data: ReportData, folder: Path) -> Path:
    """Write ``report.json`` into ``folder``; returns its path."""
    path = folder / REPORT_JSON
    path.write_bytes(_adapter().dump_json(data, indent=1) + b"\n")
    return path


def load_report(folder: Path) -> ReportData:
    """Read what :func:`save_report` wrote; InputError if it is not there or damaged."""
    from pydantic import ValidationError

    path = folder / REPORT_JSON
    try:
        return _adapter().validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"{folder} holds no {REPORT_JSON}; make one with bitsmith build") from error
    except (OSError, ValidationError) as error:
        first = str(error).splitlines()[:3]
        raise InputError(f"{path} cannot be read ({' '.join(first)}); run bitsmith build again") from error
