"""Jet tagging at the LHC: 16 substructure features, 5 kinds of jet (OpenML 42468).

Duarte et al., "Fast inference of deep neural networks in FPGAs for particle
physics" (2018), the benchmark of the field.  OpenML serves it through an API of
its own, so scikit-learn fetches it (and checks OpenML's MD5).
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.models.data.dataset import Dataset, labels
from bitsmith.models.data.files import Places
from bitsmith.models.ir.errors import InputError

OPENML_ID = 42468
PAGE = f"https://www.openml.org/d/{OPENML_ID}"
CLASSES = ("g", "q", "t", "w", "z")
FILE = "hls4ml_lhc_jets_hlf.npz"
FEATURES = (
    *("zlogz", "c1_b0_mmdt", "c1_b1_mmdt", "c1_b2_mmdt", "c2_b1_mmdt", "c2_b2_mmdt", "d2_b1_mmdt", "d2_b2_mmdt"),
    *("d2_a1_b1_mmdt", "d2_a1_b2_mmdt", "m2_b1_mmdt", "m2_b2_mmdt", "n2_b1_mmdt", "n2_b2_mmdt"),
    *("mass_mmdt", "multiplicity"),
)
TEST_SHARE = 0.2
SPLIT_SEED = 42  # share and seed of the published hls4ml examples

Raw = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


def load_jets(places: Places, progress: bool) -> Dataset:
    """16 features (rows, 16), standardised by the mean and deviation of the training part; 20 % to test."""
    from sklearn.model_selection import train_test_split

    x, y = _raw(places, progress)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=TEST_SHARE, random_state=SPLIT_SEED)
    mean, deviation = x_train.mean(axis=0, dtype=np.float64), x_train.std(axis=0, dtype=np.float64)
    deviation[deviation == 0] = 1.0
    standardised = [((part - mean) / deviation).astype(np.float32) for part in (x_train, x_test)]
    source = f"OpenML {OPENML_ID}, hls4ml_lhc_jets_hlf: {len(y):,} jets, 20 % to test, seed {SPLIT_SEED}"
    return Dataset("jets", standardised[0], y_train, standardised[1], y_test, CLASSES, source)


def _raw(places: Places, progress: bool) -> Raw:
    """Features and class numbers as fetched; from the ``.npz`` of an earlier fetch where there is one."""
    folders = [places.data_dir / "jets"] if places.data_dir else []
    folders.append(places.cache_dir / "jets")
    for folder in folders:
        if (folder / FILE).is_file():
            return _read(folder / FILE)
    x, y = _fetch(places.cache_dir / "jets", folders[0], progress)
    _write(places.cache_dir / "jets" / FILE, x, y)
    return x, y


def _fetch(cache: Path, wanted: Path, progress: bool) -> Raw:
    """From OpenML, into ``cache``; InputError saying where to put the file if it cannot be had."""
    from sklearn.datasets import fetch_openml
    from tqdm import tqdm

    try:
        # scikit-learn does not say how far it is: the bar shows that work is going on, and the time
        with tqdm(desc=f"OpenML {OPENML_ID} (100 MB)", bar_format="{desc}: {elapsed}", disable=not progress):
            table = fetch_openml(data_id=OPENML_ID, data_home=str(cache), as_frame=False)
    except ImportError as error:
        raise InputError(f"jets: scikit-learn reads OpenML with pandas ({error}); pip install pandas") from error
    except Exception as error:  # scikit-learn passes on whatever its HTTP and ARFF layers raise
        raise InputError(
            f"data set jets cannot be fetched from OpenML ({PAGE}): {error}\n"
            f"load it once where there is a network, and copy {FILE} from the cache's jets folder there to {wanted}"
        ) from error
    return _checked(table)


def _checked(table: Any) -> Raw:
    """The columns in our order, classes as numbers."""
    columns = list(table.feature_names)
    missing = [name for name in FEATURES if name not in columns]
    unknown = sorted({str(name) for name in table.target} - set(CLASSES))
    if missing or unknown:
        raise InputError(f"{PAGE} is not the jet data set: no columns {missing}, unknown classes {unknown}")
    x = np.asarray(table.data, np.float64)[:, [columns.index(name) for name in FEATURES]].astype(np.float32)
    if not np.isfinite(x).all():
        raise InputError(f"{PAGE} holds NaN or infinite values; fetch it anew")
    return x, labels(np.searchsorted(CLASSES, table.target.astype(str)))


def _write(path: Path, x: npt.NDArray[np.float32], y: npt.NDArray[np.int64]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, x=x, y=y)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _read(path: Path) -> Raw:
    try:
        with np.load(path, allow_pickle=False) as table:
            x, y = table["x"], table["y"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged ({error}); delete it, and it is fetched anew") from error
    if x.shape != (len(y), len(FEATURES)) or not np.isin(y, range(len(CLASSES))).all():
        raise InputError(f"{path} does not hold {len(FEATURES)} features and {len(CLASSES)} classes; delete it")
    return x, y
