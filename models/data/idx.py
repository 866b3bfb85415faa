"""MNIST's idx format, gzipped; the four files that MNIST and Fashion-MNIST share."""

from __future__ import annotations

import gzip
import math
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bitsmith.models.data.dataset import PIXEL_STEP, Dataset, FloatArray, LabelArray, labels, pixels
from bitsmith.models.data.files import Places, Source, fetch
from bitsmith.models.ir.errors import InputError

DIGITS = tuple("0123456789")
CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """The array of one ``.gz`` idx file of bytes (http://yann.lecun.com/exdb/mnist, "file formats")."""
    try:
        raw = gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise InputError(f"{path} is not a complete gzip file ({error}); fetch it anew") from error
    if len(raw) < 4 or raw[:3] != b"\x00\x00\x08":
        raise InputError(f"{path} is not an idx file of unsigned bytes: it starts with {raw[:4].hex()}")
    axes = raw[3]
    start = 4 + 4 * axes
    shape = struct.unpack(f">{axes}I", raw[4:start].ljust(4 * axes, b"\0"))
    if len(raw) - start != math.prod(shape):
        raise InputError(f"{path} holds {len(raw) - start} bytes of data, its header says {shape}")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def load_idx(source: Source, places: Places, progress: bool) -> Dataset:
    """Images (rows, 28, 28, 1) in steps of 1/256, from the four files of ``source``."""
    x_train, y_train = _part(source, "train", places, progress)
    x_test, y_test = _part(source, "t10k", places, progress)
    names = CLOTHES if source.name == "fashion" else DIGITS
    return Dataset(source.name, x_train, y_train, x_test, y_test, names, source.title, PIXEL_STEP)


def _part(source: Source, prefix: str, places: Places, progress: bool) -> tuple[FloatArray, LabelArray]:
    images = read_idx(fetch(source, f"{prefix}-images-idx3-ubyte.gz", places, progress))
    classes = read_idx(fetch(source, f"{prefix}-labels-idx1-ubyte.gz", places, progress))
    if images.ndim != 3 or classes.shape != images.shape[:1]:
        raise InputError(f"{source.name}: {prefix} images {images.shape} and labels {classes.shape} do not belong")
    return pixels(images[..., None]), labels(classes)
