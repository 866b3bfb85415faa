"""What every loader returns."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
LabelArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A classification data set with its fixed split.

    Shapes: ``x_*`` (rows, *input shape) float32, channels last; ``y_*`` (rows,)
    int64 class numbers.  ``source`` says in words where the rows come from and
    how many of them there are.
    """

    name: str
    x_train: FloatArray
    y_train: LabelArray
    x_test: FloatArray
    y_test: LabelArray
    classes: tuple[str, ...]
    source: str
    step: float | None = None  # what one of the raw integers (a pixel's byte) stands for; None if they were real

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            x, y = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            assert x.dtype == np.float32 and y.dtype == np.int64, f"{self.name}: {x.dtype}, {y.dtype}"
            assert y.shape == x.shape[:1] and x.shape[1:] == self.input_shape, f"{self.name}: {x.shape}, {y.shape}"

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return tuple(self.x_train.shape[1:])

    @cached_property
    def sha256(self) -> str:
        """Hash of all four arrays and of the class names, for records; computed on first use."""
        digest = hashlib.sha256(repr((self.name, self.classes)).encode())
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(repr((array.dtype.str, array.shape)).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


PIXEL_STEP = 1 / 256


def pixels(raw: npt.NDArray[np.uint8]) -> FloatArray:
    """Bytes to 0..255/256: a pixel is then exactly an unsigned 8-bit fixed-point number."""
    return raw.astype(np.float32) * np.float32(PIXEL_STEP)


def labels(raw: npt.ArrayLike) -> LabelArray:
    """Class numbers as int64."""
    return np.asarray(raw).astype(np.int64)
