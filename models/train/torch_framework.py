"""PyTorch and Brevitas for the training code."""

from __future__ import annotations

import importlib
import warnings
from functools import cache
from types import SimpleNamespace
from typing import Any

from bitsmith.models.ir.errors import ToolError

INSTALL = "pip install torch==2.13.0, then pip install 'bitsmith[brevitas]'"
PARTS = (
    "nn",
    "core.bit_width",
    "core.function_wrapper",
    "core.quant",
    "core.utils",
    "core.zero_point",
    "inject",
    "proxy",
)


@cache
def framework() -> Any:
    """``torch``, ``nn`` (of torch), ``qnn`` (of Brevitas), and Brevitas's building blocks by their own names.

    ToolError with the lines that install what is missing.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecations inside of the two, of no use to a user
            torch = importlib.import_module("torch")
            found = [importlib.import_module(f"brevitas.{part}") for part in PARTS]
    except ImportError as error:
        raise ToolError(f"PyTorch or Brevitas is not installed ({error}); {INSTALL}") from error
    blocks = {name: value for part in found[1:] for name, value in vars(part).items() if isinstance(value, type)}
    return SimpleNamespace(torch=torch, nn=torch.nn, qnn=found[0], **blocks)
