"""Quantization after training, on the command line: ``--bits W8A8 --calibration-data task|file.npz``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.flows.frontends import ONNX_SUFFIX
from bitsmith.flows.job import NET, Job
from bitsmith.flows.measure import as_input, compare, describe, real_test_rows
from bitsmith.flows.rundir import file_digest
from bitsmith.models import data as datasets
from bitsmith.models.ir import InputError, QuantType, execute, quantize_input, real_output, save
from bitsmith.models.lower.onnx.io import OnnxModel, import_onnx
from bitsmith.models.lower.qonnx import LoweredOnnx

Rows = npt.NDArray[Any]

QUANTIZED = "quantized.onnx"
CALIBRATION_ROWS = 512
BATCH_ROWS = 500
FILE_SUFFIX = ".npz"


@dataclass(frozen=True, eq=False)
class AfterTraining:
    """A float model, and what was made of it; rows are in ONNX's layout."""

    source: OnnxModel
    quantized: OnnxModel
    calibration: Rows

    def float_outputs(self, rows: Rows) -> Rows:
        """What the float model computes, in batches."""
        from bitsmith.models.ptq.quantize import float_outputs

        parts = [float_outputs(self.source, rows[i : i + BATCH_ROWS]) for i in range(0, len(rows), BATCH_ROWS)]
        return np.concatenate(parts)


def quantize_file(
    path: Path, bits: str, calibration: Rows, input_type: QuantType | None, name: str, out: Path
) -> AfterTraining:
    """The float model in ``path`` quantized to ``bits``, kept as QONNX in ``out``."""
    from bitsmith.models.lower.qonnx import load_model, onnx_rows
    from bitsmith.models.ptq.quantize import Bits, quantize

    widths = Bits.parse(bits)
    if path.suffix.lower() == ONNX_SUFFIX:
        source = load_model(path)
    else:
        from bitsmith.models.lower.qkeras import load_model as load_keras
        from bitsmith.models.ptq.keras import from_keras

        source = from_keras(load_keras(path), name)
    rows = onnx_rows(source, calibration)
    quantized = quantize(source, widths, rows, input_type)
    import_onnx().save_model(quantized.proto, out)
    return AfterTraining(source, quantized, rows)


def calibration_rows(where: str, data_dir: Path | None, input_type: QuantType | None, seed: int) -> Rows:
    """Training rows of a data set, or the rows of a ``.npz`` file (its array ``x``, or its only one).

    A data set's rows are brought to what ``input_type`` says that a pixel stands for.
    InputError if there are none.
    """
    if not where.endswith(FILE_SUFFIX):
        data = datasets.load(where, data_dir)
        order = np.random.default_rng(seed).permutation(len(data.x_train))[:CALIBRATION_ROWS]
        return as_input(data.x_train[order].astype(np.float64), data.step, input_type)
    try:
        with np.load(where, allow_pickle=False) as file:
            key = "x" if "x" in file.files else file.files[0] if len(file.files) == 1 else ""
            if not key:
                raise InputError(f"{where} holds the arrays {', '.join(file.files)}; call the one with the rows x")
            rows: Rows = file[key]
    except (OSError, ValueError) as error:
        raise InputError(f"{where} is no readable .npz file ({error}); save the rows with numpy.savez") from error
    if rows.ndim < 2 or not len(rows) or not np.isfinite(rows).all():
        raise InputError(f"{where}: the array of shape {rows.shape} holds no rows of finite numbers")
    return rows[:CALIBRATION_ROWS].astype(np.float64)


def _calibration_name(job: Job) -> str:
    where = job.options.calibration or job.dataset_name
    if where is None:
        raise InputError("--bits needs data to choose scales by; give --calibration-data a data set or a file.npz")
    return where


def calibration_digest(job: Job) -> str:
    """What the calibration data are, for the record of the stage."""
    path = Path(_calibration_name(job))
    return file_digest(path) if path.is_file() else str(path)


def lower_after_training(job: Job, head: Any, rows: int) -> dict[str, Any]:
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
    result = {"net": NET, **describe(lowered.net), **compare(job, lowered, rows)}
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
        floats = done.float_outputs(lowered.to_onnx(real_test_rows(job))).reshape(len(job.dataset.y_test), -1)
        threshold = 0.5 if net.head == "sigmoid" else 0.0
        named = floats.argmax(axis=1) if floats.shape[1] > 1 else floats[:, 0] >= threshold
        result["accuracy_float"] = float((named == job.dataset.y_test).mean())
    return result
