"""CIFAR-10 from any of its layouts: the two official archives, or one PNG per batch."""

from __future__ import annotations

import io
import json
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.models.data.dataset import PIXEL_STEP, Dataset, labels, pixels
from bitsmith.models.data.files import Places, Source, fetch, find
from bitsmith.models.ir.errors import InputError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
BINARY, PYTHON = "cifar-10-binary.tar.gz", "cifar-10-python.tar.gz"
BATCHES = tuple(f"data_batch_{n}" for n in range(1, 6))
ROWS = 10_000  # of a batch

Images = npt.NDArray[np.uint8]  # (rows, 32, 32, 3)
Batch = tuple[Images, npt.NDArray[Any]]


def load_cifar(source: Source, places: Places, progress: bool) -> Dataset:
    """Images (rows, 32, 32, 3) in steps of 1/256.

    What lies in the data folder or the cache is taken first, the archives before
    the PNG files (with as many training batches as there are); else the binary
    archive is downloaded.
    """
    if path := find(source, BINARY, places):
        return _dataset(source, BINARY, *_from_binary(path))
    if path := find(source, PYTHON, places):
        return _dataset(source, PYTHON, *_from_python(path))
    if find(source, "test_batch.png", places):
        return _dataset(source, "PNG files", *_from_png(source, places))
    return _dataset(source, BINARY, *_from_binary(fetch(source, BINARY, places, progress)))


def _dataset(source: Source, layout: str, train: list[Batch], test: Batch) -> Dataset:
    x = np.concatenate([images for images, _ in train])
    y = np.concatenate([classes for _, classes in train])
    all_rows = ROWS * len(BATCHES)
    note = f"; from {layout}, {len(x):,} of {all_rows:,} training rows"
    return Dataset(
        "cifar10", pixels(x), labels(y), pixels(test[0]), labels(test[1]), CLASSES, source.title + note, PIXEL_STEP
    )


def _planes(flat: Images) -> Images:
    """Rows of 3072 bytes, colour planes first, to (rows, 32, 32, 3)."""
    return flat.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def _members(path: Path) -> dict[str, bytes]:
    """The batches of an archive by name without suffix."""
    members = {}
    with tarfile.open(path, "r:gz") as archive:
        for entry in archive:
            name = Path(entry.name).stem
            if name in (*BATCHES, "test_batch"):
                stream = archive.extractfile(entry)
                assert stream is not None
                members[name] = stream.read()
    return members


def _from_binary(path: Path) -> tuple[list[Batch], Batch]:
    """Rows of one label byte and 3072 pixel bytes (https://www.cs.toronto.edu/~kriz/cifar.html)."""

    def batch(raw: bytes) -> Batch:
        rows = np.frombuffer(raw, np.uint8).reshape(-1, 3073)
        return _planes(rows[:, 1:]), rows[:, 0]

    members = _members(path)
    return [batch(members[name]) for name in BATCHES], batch(members["test_batch"])


class _ArraysOnly(pickle.Unpickler):
    """Loads the official pickles, which hold one numpy array and lists; refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return np.empty(0).__reduce__()[0]
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise InputError(f"{PYTHON} holds a {module}.{name}, which no CIFAR-10 batch has; fetch the archive anew")


def _from_python(path: Path) -> tuple[list[Batch], Batch]:
    """Pickled dicts of ``data`` (rows, 3072) and ``labels``, written by Python 2."""

    def batch(raw: bytes) -> Batch:
        table = _ArraysOnly(io.BytesIO(raw), encoding="bytes").load()
        return _planes(table[b"data"]), np.asarray(table[b"labels"])

    members = _members(path)
    return [batch(members[name]) for name in BATCHES], batch(members["test_batch"])


def _from_png(source: Source, places: Places) -> tuple[list[Batch], Batch]:
    """PNG batches (one image per row of pixels) with the labels in JSON; the training batches that are there."""
    found = {n: path for n, name in enumerate(BATCHES) if (path := find(source, f"{name}.png", places))}
    if not found:
        raise InputError("cifar10: there is a test_batch.png but no data_batch_1.png beside it; add it")
    y_train = _labels(source, "train_lables.json", places)
    y_test = _labels(source, "test_lables.json", places)
    train = [(_png(path), y_train[n * ROWS : (n + 1) * ROWS]) for n, path in found.items()]
    test = find(source, "test_batch.png", places)
    assert test is not None
    return train, (_png(test), y_test)


def _labels(source: Source, file: str, places: Places) -> npt.NDArray[Any]:
    path = find(source, file, places)
    if path is None:
        raise InputError(f"cifar10: {file} is missing beside the PNG batches; add it")
    return np.asarray(json.loads(path.read_text()))


def _png(path: Path) -> Images:
    try:
        from PIL import Image
    except ImportError as error:
        raise InputError(f"{path} needs Pillow to be read; install it: pip install pillow") from error
    with path.open("rb") as stream, Image.open(stream) as image:
        return np.asarray(image.convert("RGB")).reshape(-1, 32, 32, 3)
