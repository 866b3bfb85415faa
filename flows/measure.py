"""A net beside its source: integers, accuracy, classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.flows.job import Job
from bitsmith.models.ir import QNet, QuantType, content_hash, quantize_input, random_inputs
from bitsmith.models.ir.types import IntArray
from bitsmith.models.lower.compare import Lowered, prove

Rows = npt.NDArray[Any]


def describe(net: QNet) -> dict[str, Any]:
    """The ops and the hash, as plain data."""
    ops = [{"name": o.name, "kind": o.kind, "shape": list(o.shape), "type": str(o.type)} for o in net.ops]
    return {"ops": ops, "net_sha256": content_hash(net)}


def compare(job: Job, lowered: Lowered, rows: int) -> dict[str, Any]:
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


def as_input(real: Rows, step: float | None, kind: QuantType | None) -> Rows:
    """A data set's rows as the model takes them: a pixel stays the integer that it is, ``kind`` says its scale."""
    if kind is None or step is None:
        return real
    return kind.real(np.rint(real / step).astype(np.int64))
