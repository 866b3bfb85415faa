"""The main job: a task or a model to proved firmware, with its price."""

from __future__ import annotations

from typing import Any

from bitsmith.flows.backends import load_backend
from bitsmith.flows.firmware import activity_stage, emit_stage, synth_stage, tool_estimate_stage, verify_stage
from bitsmith.flows.job import Job
from bitsmith.flows.lowering import lowered_net, stored_net
from bitsmith.flows.options import hw_config, resolve_hardware
from bitsmith.flows.pricing import estimate_json, price, repriced
from bitsmith.flows.rundir import Done, say, write_json
from bitsmith.hls.backends.base import refuse
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Estimate
from bitsmith.models.ir.errors import DoesNotFitError, ToolError

BUILD = "build.json"

ACTIVITY_LUTS = 20_000
"""The activity of a larger design is not counted in a build: compiling its simulation anew takes minutes."""


def build(job: Job) -> dict[str, Any]:
    """Run every stage that is not done yet; returns the results by stage and writes them to ``build.json``.

    Order: train, import, then per backend estimate, emit and verify, then synthesis
    of the RTL.  DoesNotFitError before anything is emitted if even the low bound of
    an estimate is larger than the device (``--force`` goes on).
    """
    hardware = resolve_hardware(job.source.config, job.options)
    designs = [hw_config(hardware, name, job.seed) for name in hardware.backends]
    stages: dict[str, Done] = {}
    result: dict[str, Any] = {"name": job.source.name, "board": hardware.board, "dataset": job.dataset_name}
    trained, stages["import"] = lowered_net(job)
    if trained:
        stages = {"train": trained, **stages}
        result["train"] = trained.result
    result["import"] = stages["import"].result
    net = stored_net(job.run)
    for hw in designs:
        refuse(load_backend(hw.backend), net, hw)
    costs = [price(net, hw) for hw in designs]
    for hw, cost in zip(designs, costs, strict=True):
        _must_fit(hw, cost, job.options.force)
    result["backends"] = {hw.backend: _prove(job, hw, cost, stages) for hw, cost in zip(designs, costs, strict=True)}
    for hw in designs:
        if hw.backend.startswith("rtl") and job.options.synth:
            result["backends"][hw.backend]["synth"] = _synthesise(job, hw, stages)
    result |= result["backends"][designs[0].backend]  # the first backend's results stand at the top too
    result["accuracy_ip"] = result["verify"].get("accuracy_ip")
    result["test_rows"] = len(job.dataset.y_test) if job.dataset else 0
    result["stages"] = {name: {"seconds": s.seconds, "reused": s.repeated} for name, s in stages.items()}
    write_json(job.run.folder / BUILD, result)
    return result


def _prove(job: Job, hw: HwConfig, cost: Estimate, stages: dict[str, Done]) -> dict[str, Any]:
    """One backend: its project and the proof of it."""
    emitted = stages[f"emit {hw.backend}"] = emit_stage(job, hw)
    proof = stages[f"verify {hw.backend}"] = verify_stage(job, hw)
    cost, activity = _with_activity(job, hw, cost, stages)
    result = {
        "clock_mhz": hw.clock_mhz,
        "estimate": estimate_json(cost),
        "emit": emitted.result,
        "verify": proof.result,
        "activity": activity,
    }
    if hw.backend == "finn":
        other = stages["tool-estimate finn"] = tool_estimate_stage(job, hw)
        result["tool_estimate"] = other.result
    return result


def _with_activity(
    job: Job, hw: HwConfig, cost: Estimate, stages: dict[str, Done]
) -> tuple[Estimate, dict[str, Any] | None]:
    """Power from the simulated activity of our own RTL, where the design is small enough to count it in seconds."""
    if not job.options.activity or not hw.backend.startswith("rtl") or cost.lut.value > ACTIVITY_LUTS:
        return cost, None
    try:
        done = stages[f"activity {hw.backend}"] = activity_stage(job, hw)
    except ToolError as error:
        say(f"activity/{hw.backend}: not counted, power rests on other designs: {error}")
        return cost, None
    return repriced(cost, hw, done.result), done.result


def _must_fit(hw: HwConfig, cost: Estimate, force: bool) -> None:
    device = hw.board.device
    shares = (
        ("LUT", cost.lut, device.lut),
        ("FF", cost.ff, device.ff),
        ("DSP", cost.dsp, device.dsp),
        ("BRAM", cost.bram, device.bram),
    )
    over = [f"{name} {figure.low:.0f} of {have}" for name, figure, have in shares if figure.low > have]
    if over and not force:
        raise DoesNotFitError(
            f"{hw.backend} does not fit {hw.board.name}, even at the low bounds of the estimate: {', '.join(over)}; "
            "take a larger board, fewer bits or more zeros, or build all the same with --force"
        )


def _synthesise(job: Job, hw: HwConfig, stages: dict[str, Done]) -> dict[str, Any]:
    """Synthesis of one RTL project; a missing tool is said and leaves the rest of the build standing."""
    try:
        done = stages[f"synth {hw.backend}"] = synth_stage(job, hw)
    except ToolError as error:
        say(f"synth/{hw.backend}: not done: {error}")
        return {"error": str(error)}
    return done.result


def all_exact(result: dict[str, Any]) -> bool:
    """Whether every proof of a build holds: the source framework's integers (where there is one) and each backend's."""
    return result["import"]["exact"] is not False and all(b["verify"]["exact"] for b in result["backends"].values())
