"""From MODEL to a net: train if it is a task, lower, and compare with the source framework."""

from __future__ import annotations

from typing import Any

from bitsmith.flows.config import write_config
from bitsmith.flows.frontends import lower_file, with_brevitas
from bitsmith.flows.job import FRAMEWORK_PACKAGES, MODEL_FILES, NET, Job, versions
from bitsmith.flows.measure import compare, describe
from bitsmith.flows.rundir import Done, RunDir, file_digest
from bitsmith.models.ir import InputError, QNet, load, save

NET_FILES = (f"{NET}/net.json", f"{NET}/net.npz")
IMPORT_SAMPLES = 1000


def train_stage(job: Job) -> Done | None:
    """Train a task; None if MODEL is not one."""
    config = job.source.config
    if config is None:
        if job.options.framework:
            raise InputError("--framework says what trains a task; a model file is trained already: leave it out")
        return None
    settings = job.training
    assert settings is not None
    config = config.model_copy(update={"train": settings})
    write_config(config, job.run.folder / "config.toml")
    inputs = {
        "data": config.data.model_dump(mode="json"),
        "net": config.net.model_dump(mode="json"),
        "train": settings.model_dump(mode="json"),
        "versions": versions(*FRAMEWORK_PACKAGES[settings.framework]),
    }

    def work() -> dict[str, Any]:
        from bitsmith.models.train import train

        assert job.dataset is not None
        done = train(config.net, job.dataset, settings, job.run.folder)
        return {
            "framework": settings.framework,
            "accuracy_float": done.accuracy_float,
            "accuracy_quantized": done.accuracy_quantized,
            "sparsity": done.sparsity,
            "test_rows": len(job.dataset.x_test),
            "model": done.model_path.name,
        }

    files = MODEL_FILES[settings.framework]
    return job.run.stage("train", inputs, ("models/train", "models/zoo", "models/data"), files, work)


def net_stage(job: Job) -> Done:
    """The net in the run directory, and how it compares with its source."""
    if job.source.net is not None:
        if job.options.bits:
            raise InputError(f"{job.source.net} is a net of integers already; leave --bits out")
        net = load(job.source.net)
        save(net, job.run.folder / NET)
        result = {"net": NET, **describe(net), "exact": None, "samples": 0, "max_abs_error": None}
        return Done(result, 0.0, False)
    calibration = None
    if job.options.bits:
        from bitsmith.flows.after_training import calibration_digest

        calibration = calibration_digest(job)
    head = job.options.output or (job.source.config.hardware.output if job.source.config else "logits")
    rows = job.options.samples or IMPORT_SAMPLES
    inputs = {
        "model": file_digest(job.model_path) if job.model_path.exists() else "missing",
        "head": head,
        "input_type": repr(job.options.input_type),  # str() shortens the scale: two types would share a record
        "dataset": job.dataset_name,
        "bits": job.options.bits,
        "calibration": calibration,
        "seed": job.seed,
        "rows": rows,
        "versions": versions(*FRAMEWORK_PACKAGES[job.framework]),
    }
    return job.run.stage(
        "import", inputs, ("models/lower", "models/ptq", "models/ir"), NET_FILES, lambda: _lower(job, head, rows)
    )


def _lower(job: Job, head: Any, rows: int) -> dict[str, Any]:
    if job.options.bits:
        from bitsmith.flows.after_training import lower_after_training

        return lower_after_training(job, head, rows)
    lowered = lower_file(job.model_path, job.source.name, job.options.input_type, head)
    if job.source.config is not None and job.framework == "brevitas":
        lowered = with_brevitas(lowered, job.source.config.net, job.run.folder / MODEL_FILES["brevitas"][1])
    save(lowered.net, job.run.folder / NET)
    return {"net": NET, **describe(lowered.net), **compare(job, lowered, rows)}


def lowered_net(job: Job) -> tuple[Done | None, Done]:
    """The training, if MODEL is a task, and the net."""
    return train_stage(job), net_stage(job)


def stored_net(run: RunDir) -> QNet:
    """The net of a run directory."""
    return load(run.folder / NET)
