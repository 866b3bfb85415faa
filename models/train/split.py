"""Rows to learn from and rows to choose by."""

from __future__ import annotations

from dataclasses import dataclass

from bitsmith.models.data.dataset import Dataset, FloatArray, LabelArray
from bitsmith.models.ir.errors import InputError
from bitsmith.models.zoo.graph import nodes
from bitsmith.models.zoo.spec import NetSpec


@dataclass(frozen=True, eq=False)
class Split:
    """Rows to learn from, and rows to choose the best epoch by; both from the training part."""

    x: FloatArray
    y: LabelArray
    x_check: FloatArray
    y_check: LabelArray


def split(data: Dataset, share: float, seed: int) -> Split:
    """``share`` of the training rows of each class put aside for validation; InputError if there are too few rows."""
    from sklearn.model_selection import train_test_split

    try:
        x, x_check, y, y_check = train_test_split(
            data.x_train, data.y_train, test_size=share, stratify=data.y_train, random_state=seed
        )
    except ValueError as error:
        rows = len(data.x_train)
        raise InputError(f"{data.name}: validation_share {share} of {rows} rows: {error}; raise the share") from error
    return Split(x, y, x_check, y_check)


def check_data(spec: NetSpec, data: Dataset) -> None:
    """InputError if the rows or the classes of ``data`` do not suit ``spec``."""
    if data.input_shape != spec.input.shape:
        raise InputError(f"the net takes rows of shape {spec.input.shape}, {data.name} has {data.input_shape}")
    width = nodes(spec)[-1].shape[0]
    if width != len(data.classes):
        raise InputError(f"the net ends in {width} logits, {data.name} has {len(data.classes)} classes")
