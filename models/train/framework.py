"""The one place where training imports TensorFlow, Keras 2 and QKeras."""

from __future__ import annotations

import os
import sys
import warnings
from types import SimpleNamespace
from typing import Any

from bitsmith.models.ir.errors import ToolError

LEGACY = "TF_USE_LEGACY_KERAS"


def framework() -> Any:
    """Namespace with ``tf``, ``keras`` (tf_keras) and ``q`` (qkeras).

    QKeras knows Keras 2 only, which TensorFlow chooses by an environment
    variable that it reads when it is imported: so it is set here, in this
    process alone.  ToolError if a package is missing, or if TensorFlow was
    already imported with Keras 3.
    """
    if "tensorflow" not in sys.modules:
        os.environ[LEGACY] = "1"
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # its start-up notes are no news to the user
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import tensorflow as tf
            import tf_keras
            import qkeras  # isort: skip  (after Keras 2 is chosen)
    except ImportError as error:
        raise ToolError(f"training needs QKeras and TensorFlow ({error}); pip install 'bitsmith[keras]'") from error
    if tf.keras.layers.Layer is not tf_keras.layers.Layer:
        raise ToolError(f"TensorFlow was imported with Keras 3 before: set {LEGACY}=1 before the first import")
    return SimpleNamespace(tf=tf, keras=tf_keras, q=qkeras)
