"""Boards with a fixed low-power accelerator, for comparison with FPGAs: one TOML file per board, read here.

They are priced (``hls.estimate.accelerators``), never built for.  Every number
stands beside its source; those from nobody's document say so.
"""

from __future__ import annotations

import difflib
import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from bitsmith.models.ir.errors import InputError

if TYPE_CHECKING:
    from pydantic import ValidationError

    from bitsmith.hls.accelerators.schema import Accelerator


@cache
def accelerator_names() -> tuple[str, ...]:
    """Every board's name, in alphabetical order."""
    names = (entry.name for entry in resources.files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


@cache
def load_accelerator(name: str) -> Accelerator:
    """The board called ``name``; InputError offering the nearest names if there is none."""
    if name not in accelerator_names():
        near = difflib.get_close_matches(name.lower(), accelerator_names(), n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else "see bitsmith boards"
        raise InputError(f"there is no accelerator board {name!r}; {hint}")
    return read_accelerator(resources.files(__name__).joinpath(f"{name}.toml").read_text(), name)


def accelerators() -> tuple[Accelerator, ...]:
    """Every board, in alphabetical order."""
    return tuple(load_accelerator(name) for name in accelerator_names())


def read_accelerator(text: str, name: str) -> Accelerator:
    """The board that ``text`` (TOML) describes; InputError with every problem, each naming its key."""
    from pydantic import ValidationError

    from bitsmith.hls.accelerators.schema import Accelerator

    try:
        return Accelerator.model_validate({**tomllib.loads(text), "name": name})
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the accelerator {name} cannot be read as TOML: {error}") from error
    except ValidationError as error:
        raise InputError(f"the accelerator {name} is described wrongly:\n  {_problems(error)}") from error


def _problems(error: ValidationError) -> str:
    def line(found: Any) -> str:
        where = ".".join(str(part) for part in found["loc"])
        text = "unknown key" if found["type"] == "extra_forbidden" else found["msg"]
        return f"{where}: {text}" if where else str(text)

    return "\n  ".join(line(found) for found in error.errors())
