"""Quantization after training, on the command line: ``--bits W8A8 --calibration-data task|file.npz``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.flows.frontends import ONNX_SUFFIX
from bitsmith.models import data as datasets
from bitsmith.models.ir import InputError, QuantType
from bitsmith.models.lower.onnx.io import OnnxModel, import_onnx

Rows = npt.NDArray[Any]

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


def as_input(real: Rows, step: float | None, kind: QuantType | None) -> Rows:
    """A data set's rows as the model takes them: a pixel stays the integer that it is, ``kind`` says its scale."""
    if kind is None or step is None:
        return real
    return kind.real(np.rint(real / step).astype(np.int64))
