"""The end of a sweep: every point of the front is built, verified, and synthesised where asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitsmith.flows.config import HardwareConfig
from bitsmith.flows.rundir import RunDir
from bitsmith.flows.search.executor import Executor, Failure
from bitsmith.flows.search.ledger import Trial
from bitsmith.flows.search.storage import out_of_room
from bitsmith.flows.search.sweep import TRIALS, Sweep, place

FRONT = "front"


@dataclass(frozen=True)
class Point:
    """A trial to be built: folders, and the task's own data."""

    number: int
    name: str
    net: str
    out: str
    hardware: dict[str, Any]
    dataset: str
    data_dir: str | None
    seed: int
    synth: bool


def points(sweep: Sweep, front: Sequence[Trial], synth: int) -> list[Point]:
    """The points of the front, in the order of the first cost; ``synth`` of them, evenly spread, are synthesised."""
    cost = next(name for name in sweep.goals.objectives if name != "accuracy")
    ordered = sorted(front, key=lambda t: (t.measures[cost], t.number))
    chosen = set(spread(len(ordered), synth))
    return [
        Point(
            number=trial.number,
            name=f"{sweep.task.name}_{trial.number}",
            net=str(sweep.folder / place(TRIALS, trial.number) / "net"),
            out=str(sweep.folder / place(FRONT, trial.number)),
            hardware=sweep.config(trial.choices).hardware.model_dump(mode="json"),
            dataset=sweep.task.data.name,
            data_dir=sweep.data_dir,
            seed=sweep.seed,
            synth=index in chosen,
        )
        for index, trial in enumerate(ordered)
    ]


def spread(count: int, wanted: int) -> list[int]:
    """``wanted`` of ``count`` places, one in the middle of each of ``wanted`` equal parts."""
    if wanted >= count:
        return list(range(count))
    return [int((k + 0.5) * count / wanted) for k in range(wanted)]


def finish(executor: Executor, wanted: Sequence[Point]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number of the trial and its row as each point is done; ``error`` in place of a proof that could not be had."""
    for ended in executor.run(build_point, wanted):
        number = wanted[ended.index].number
        if isinstance(ended.result, Failure) and ended.result.full:
            raise out_of_room(OSError(ended.result.reason))
        if isinstance(ended.result, Failure):
            yield number, {"verified": False, "error": ended.result.reason}
        else:
            yield number, ended.result


def build_point(point: Point) -> dict[str, Any]:
    """Build one point, in its own run directory, which remembers what is done: project, proof, page."""
    from bitsmith.flows.build import all_exact, build
    from bitsmith.flows.job import Job
    from bitsmith.flows.options import Options
    from bitsmith.flows.report import build_report
    from bitsmith.flows.source import Source

    hardware = HardwareConfig.model_validate(point.hardware)
    options = Options(
        board=hardware.board,
        backends=hardware.backends,
        clock_mhz=hardware.clock_mhz,
        reuse=hardware.reuse,
        target_ii=hardware.target_ii,
        target_latency=hardware.target_latency,
        target_rate=hardware.target_rate,
        io=hardware.io,
        strategy=hardware.strategy,
        hls_tool=hardware.hls_tool,
        output=hardware.output,
        dataset=point.dataset,
        data_dir=Path(point.data_dir) if point.data_dir else None,
        seed=point.seed,
        synth=point.synth,
        activity=False,
    )
    job = Job(Source(point.name, net=Path(point.net)), options, RunDir(Path(point.out)))
    done = build(job)
    build_report(job.run.folder, f"bitsmith build {point.net} --board {hardware.board}", point.name)
    return {
        "verified": all_exact(done),
        "accuracy": done["accuracy_ip"],
        "samples": done["verify"]["samples"],
        "engine": done["verify"]["engine"],
        "latency_cycles": done["verify"]["latency_cycles"],
        "ii_cycles": done["verify"]["ii_cycles"],
        "synth": _synthesis(done.get("synth")),
    }


def _synthesis(report: dict[str, Any] | None) -> dict[str, Any] | None:
    """What synthesis says of the point, beside which the estimate is shown."""
    if report is None or "error" in report:
        return report
    keys = ("tool", "version", "lut", "ff", "dsp", "bram", "fmax_mhz", "fits", "netlist_exact", "bitstream", "seconds")
    return {key: report.get(key) for key in keys}
