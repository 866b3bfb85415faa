"""Reads Keras and QKeras models, and says what is wrong with a file in the user's terms."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.models.ir import InputError, ToolError

SUFFIXES = (".h5", ".hdf5", ".keras")
INSTALL = "pip install 'bitsmith[keras]'"


def import_tensorflow() -> Any:
    """TensorFlow with Keras 2, which QKeras needs.

    The switch must be set before TensorFlow's first import, so it is set here, for
    this process only.  ToolError with the line that installs what is missing.
    """
    if "tensorflow" not in sys.modules:
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with _without_stderr():
            tf = importlib.import_module("tensorflow")
    except ImportError as error:
        raise ToolError(f"TensorFlow is not installed ({error}); {INSTALL}") from error
    if not tf.keras.Model.__module__.startswith("tf_keras"):
        raise ToolError(
            f"TensorFlow was imported with Keras 3, QKeras needs Keras 2; {INSTALL}, "
            f"and set TF_USE_LEGACY_KERAS=1 before TensorFlow is first imported"
        )
    return tf


@contextmanager
def _without_stderr() -> Iterator[None]:
    """TensorFlow's C++ notes on missing GPUs go past Python and its own log level, straight to file descriptor 2."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def import_qkeras() -> Any:
    """QKeras; ToolError with the line that installs it."""
    import_tensorflow()
    try:
        return importlib.import_module("qkeras")
    except ImportError as error:
        raise ToolError(f"QKeras is not installed ({error}); {INSTALL}") from error


def custom_objects() -> dict[str, Any]:
    """Everything a saved QKeras model may name: its own objects, those its list forgets, and pruning wrappers."""
    qkeras = import_qkeras()
    utils = importlib.import_module("qkeras.utils")
    known: dict[str, Any] = {}
    utils._add_supported_quantized_objects(known)
    known["quantized_hswish"] = qkeras.quantized_hswish
    from bitsmith.models.lower.keras.dense_batchnorm import qdense_batchnorm_class

    known["QDenseBatchnorm"] = qdense_batchnorm_class()
    wrappers = "tensorflow_model_optimization.python.core.sparsity.keras.pruning_wrapper"
    known["PruneLowMagnitude"] = importlib.import_module(wrappers).PruneLowMagnitude
    return known


def load_model(path: Path) -> Any:
    """The Keras or QKeras model in ``path`` (.h5, .hdf5 or .keras), not compiled.

    InputError if there is no such file, if it is no Keras file or damaged, if it
    holds weights only, or if one of its layers or weights cannot be restored.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: a Keras model ends in {', '.join(SUFFIXES)}, not in {path.suffix or 'no suffix'!r}")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix.lower() != ".keras":
        _check_h5(path)  # before TensorFlow, which takes seconds to import
    tf = import_tensorflow()
    known = custom_objects()
    try:
        return tf.keras.models.load_model(path, custom_objects=known, compile=False)
    except Exception as error:  # Keras raises almost any type for a file that it cannot restore
        reason = " ".join(str(error).split())[:300]
        if path.suffix.lower() == ".keras":
            raise InputError(
                f"{path}: cannot be restored ({reason}); QKeras 0.9 does not reload its own .keras files: "
                f"save the model as .h5 (model.save('model.h5'))"
            ) from error
        raise InputError(
            f"{path}: cannot be restored ({type(error).__name__}: {reason}); "
            f"if it holds custom layers, replace them by layers of Keras and QKeras; else copy the file anew"
        ) from error


def _check_h5(path: Path) -> None:
    h5py = importlib.import_module("h5py")
    try:
        with h5py.File(path, "r") as file:
            if "model_config" not in file.attrs:
                raise InputError(f"{path}: holds weights only; save the whole model with model.save('model.h5')")
    except OSError as error:
        raise InputError(f"{path}: not a readable HDF5 file, truncated or damaged ({error}); copy it anew") from error


def check_finite(model: Any) -> None:
    """InputError naming every layer and tensor of ``model`` that holds NaN or infinite values."""
    bad = [w.name for w in model.weights if not np.isfinite(np.asarray(w)).all()]
    if bad:
        raise InputError(
            f"model {model.name} holds NaN or infinite values in {', '.join(bad)}; "
            f"the training diverged: train again (lower learning rate) or take an earlier checkpoint"
        )
