"""The network descriptions: a framework-neutral spec, and the named tasks."""

from __future__ import annotations

import difflib
from pathlib import Path

from bitsmith.models.ir.errors import InputError

__all__ = ["task_path", "tasks"]

TASKS = Path(__file__).with_name("tasks")


def tasks() -> list[str]:
    """Names of the bundled tasks."""
    return sorted(path.stem for path in TASKS.glob("*.toml"))


def task_path(name: str) -> Path:
    """The config of a bundled task; InputError with the nearest names if there is none."""
    path = TASKS / f"{name}.toml"
    if name not in tasks():
        near = difflib.get_close_matches(name, tasks(), n=2)
        hint = f"did you mean {' or '.join(near)}?" if near else "choose one of these."
        raise InputError(f"there is no task {name!r}; {hint} Tasks: {', '.join(tasks())}")
    return path
