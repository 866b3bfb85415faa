"""TensorFlow, Keras 2 and QKeras for the training code."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

from bitsmith.models.lower.keras.io import import_qkeras, import_tensorflow


@cache
def framework() -> Any:
    """``tf``, ``keras`` (Keras 2) and ``q`` (QKeras); ToolError with the install line if one is missing."""
    tf, q = import_tensorflow(), import_qkeras()
    tf.get_logger().setLevel("ERROR")  # its advice is for people who write TensorFlow code
    import tf_keras

    return SimpleNamespace(tf=tf, keras=tf_keras, q=q)
