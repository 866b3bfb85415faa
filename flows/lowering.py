"""From MODEL to a net: train if it is a task, lower, and compare with the source framework."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.flows.after_training import AfterTraining, as_input, calibration_rows, quantize_file
from bitsmith.flows.config import write_config
from bitsmith.flows.frontends import lower_file, with_brevitas
from bitsmith.flows.options import Options
from bitsmith.flows.rundir import Done, RunDir, file_digest
from bitsmith.flows.source import Source
from bitsmith.models import data as datasets
from bitsmith.models.ir import (
    InputError,
    QNet,
    content_hash,
    execute,
    load,
    quantize_input,
    random_inputs,
    real_output,
    save,
)
from bitsmith.models.ir.types import IntArray
from bitsmith.models.lower.compare import Lowered, prove
from bitsmith.models.lower.qonnx import LoweredOnnx
from bitsmith.models.train.settings import TrainSettings

QUANTIZED = "quantized.onnx"
MODEL_FILES = {"qkeras": ("model.h5",), "brevitas": ("model.onnx", "model.pt")}
FRAMEWORK_PACKAGES = {
    "qkeras": ("tensorflow", "qkeras"),
    "brevitas": ("torch", "brevitas", "onnxruntime", "qonnx"),
}
NET = "net"
NET_FILES = (f"{NET}/net.json", f"{NET}/net.npz")
IMPORT_SAMPLES = 1000


@dataclass
class Job:
    """One network on its way through the stages of one run directory."""

    source: Source
    options: Options
    run: RunDir

    @property
    def seed(self) -> int:
        """The seed of everything random in this run."""
        if self.options.seed is not None:
            return self.options.seed
        return self.source.config.train.seed if self.source.config else 0

    @property
    def dataset_name(self) -> str | None:
        """The data set to measure accuracy on, if there is one."""
        if self.options.dataset:
            return self.options.dataset
        return self.source.config.data.name if self.source.config else None

    @cached_property
    def dataset(self) -> datasets.Dataset | None:
        """The data set itself, loaded once."""
        if self.dataset_name is None:
            return None
        return datasets.load(self.dataset_name, self.options.data_dir)

    @property
    def training(self) -> TrainSettings | None:
        """How the task is trained, the command line's choices on top; None if MODEL is not a task."""
        if self.source.config is None:
            return None
        asked = {"framework": self.options.framework, "seed": self.seed}
        return self.source.config.train.model_copy(update={k: v for k, v in asked.items() if v is not None})

    @property
    def framework(self) -> str:
        """``qkeras`` or ``brevitas``: which front end and which packages the model needs."""
        if self.training is not None:
            return self.training.framework
        return "brevitas" if self.source.model and self.source.model.suffix.lower() == ".onnx" else "qkeras"

    @property
    def model_path(self) -> Path:
        """The framework's model: the user's file, or the one that was trained."""
        return self.source.model or self.run.folder / MODEL_FILES[self.framework][0]


def versions(*packages: str) -> dict[str, str]:
    """Installed versions, ``missing`` where there is none."""
    found = {}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def train_stage(job: Job) -> Done | None:
    """Train a task; None if MODEL is not one."""
    config = job.source.config
    if config is None:
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
        net = load(job.source.net)
        save(net, job.run.folder / NET)
        result = {"net": NET, **_describe(net), "exact": None, "samples": 0, "max_abs_error": None}
        return Done(result, 0.0, False)
    head = job.options.output or (job.source.config.hardware.output if job.source.config else "logits")
    rows = job.options.samples or IMPORT_SAMPLES
    inputs = {
        "model": file_digest(job.model_path) if job.model_path.exists() else "missing",
        "head": head,
        "input_type": repr(job.options.input_type),  # str() shortens the scale: two types would share a record
        "dataset": job.dataset_name,
        "bits": job.options.bits,
        "calibration": _calibration_digest(job),
        "seed": job.seed,
        "rows": rows,
        "versions": versions(*FRAMEWORK_PACKAGES[job.framework]),
    }
    return job.run.stage(
        "import", inputs, ("models/lower", "models/ptq", "models/ir"), NET_FILES, lambda: _lower(job, head, rows)
    )


def _lower(job: Job, head: Any, rows: int) -> dict[str, Any]:
    if job.options.bits:
        return _lower_after_training(job, head, rows)
    lowered = lower_file(job.model_path, job.source.name, job.options.input_type, head)
    if job.source.config is not None and job.framework == "brevitas":
        lowered = with_brevitas(lowered, job.source.config.net, job.run.folder / MODEL_FILES["brevitas"][1])
    save(lowered.net, job.run.folder / NET)
    return {"net": NET, **_describe(lowered.net), **_compare(job, lowered, rows)}


def _calibration_name(job: Job) -> str:
    where = job.options.calibration or job.dataset_name
    if where is None:
        raise InputError("--bits needs data to choose scales by; give --calibration-data a data set or a file.npz")
    return where


def _calibration_digest(job: Job) -> str | None:
    if not job.options.bits:
        return None
    path = Path(_calibration_name(job))
    return file_digest(path) if path.is_file() else str(path)


def _lower_after_training(job: Job, head: Any, rows: int) -> dict[str, Any]:
    """A float model quantized, lowered, compared with qonnx, and with its own float self."""
    from bitsmith.models.lower import qonnx

    assert job.options.bits is not None
    if job.source.model is None:
        raise InputError("--bits quantizes a float model after training; a task is trained at its own bits already")
    kind, name = job.options.input_type, job.source.name
    calibration = calibration_rows(_calibration_name(job), job.options.data_dir, kind, job.seed)
    done = quantize_file(job.model_path, job.options.bits, calibration, kind, name, job.run.folder / QUANTIZED)
    lowered = qonnx.lowered(done.quantized, name=name, input_type=None, head=head)
    save(lowered.net, job.run.folder / NET)
    result = {"net": NET, **_describe(lowered.net), **_compare(job, lowered, rows)}
    return {**result, "bits": job.options.bits, "quantized": QUANTIZED, **_float_loss(job, lowered, done)}


def _float_loss(job: Job, lowered: LoweredOnnx, done: AfterTraining) -> dict[str, Any]:
    """What quantization cost: the error on the calibration rows, and the accuracy where there are labels."""
    net = lowered.net
    result: dict[str, Any] = {"relative_error_float": None}
    if net.output.kind != "argmax":
        integers = quantize_input(net, lowered.from_onnx(done.calibration))
        exact = lowered.in_net_order(done.float_outputs(done.calibration))
        error = real_output(net, execute(net, integers)) - exact
        result["relative_error_float"] = float(np.sqrt(np.square(error).mean() / np.square(exact).mean()))
    if job.dataset is not None:
        floats = done.float_outputs(lowered.to_onnx(real_test_rows(job)))
        logits = floats - 0.5 if net.head == "sigmoid" else floats
        result["accuracy_float"] = accuracy(net, logits, job.dataset.y_test)
    return result


def _describe(net: QNet) -> dict[str, Any]:
    ops = [{"name": o.name, "kind": o.kind, "shape": list(o.shape), "type": str(o.type)} for o in net.ops]
    return {"ops": ops, "net_sha256": content_hash(net)}


def _compare(job: Job, lowered: Lowered, rows: int) -> dict[str, Any]:
    """Integers of the net against the framework's outputs: every test row, or ``rows`` on the input's grid."""
    net = lowered.net
    if job.dataset is not None:
        real = real_test_rows(job)
        integers = quantize_input(net, real)
        if not lowered.rounds_input:  # nothing in the model rounds its input: it must see what the net sees
            real = net.input.type.real(integers)
    else:
        integers = random_inputs(net, rows, job.seed)
        real = net.input.type.real(integers)
    proof, ours, theirs = prove(lowered, integers, real)
    result: dict[str, Any] = {
        "framework": lowered.framework,
        "exact": proof.exact,
        "samples": proof.samples,
        "rows_different": len(proof.mismatching),
        "rows_float32_noise": len(proof.noisy),
        "max_abs_error": proof.max_abs_error,
        "left_out": list(lowered.left_out),
    }
    if job.dataset is not None:
        result["accuracy_source"] = accuracy(net, theirs, job.dataset.y_test)
        mine = net.output.type.real(ours)
        result["accuracy_net"] = accuracy(net, mine, job.dataset.y_test)
        result["same_class"] = float((classes(net, mine) == classes(net, theirs)).mean())
    return result


def real_test_rows(job: Job) -> npt.NDArray[np.float64]:
    """The data set's test rows as the model takes them.

    With ``--input-type`` a pixel stays the integer that it is, and the type says what
    it stands for: a model that was trained on pixels / 255 takes ``u8/255``.
    """
    assert job.dataset is not None
    return as_input(job.dataset.x_test.astype(np.float64), job.dataset.step, job.options.input_type)


def classes(net: QNet, outputs: Any) -> IntArray:
    """The class that every row of real outputs stands for."""
    flat = np.asarray(outputs).reshape(len(outputs), -1)
    if net.output.kind == "argmax" or flat.shape[1] == 1:
        single = flat[:, 0]
        return (single if net.output.kind in ("argmax", "thresholds") else single >= 0).astype(np.int64)
    winner: IntArray = flat.argmax(axis=1).astype(np.int64)
    return winner


def accuracy(net: QNet, outputs: Any, labels: Any) -> float:
    """Share of rows whose class is the label."""
    return float((classes(net, outputs) == np.asarray(labels)).mean())


def lowered_net(job: Job) -> tuple[Done | None, Done]:
    """The training, if MODEL is a task, and the net."""
    return train_stage(job), net_stage(job)


def stored_net(run: RunDir) -> QNet:
    """The net of a run directory."""
    return load(run.folder / NET)
