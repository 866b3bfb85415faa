"""Steps that take minutes are not done twice with the same input: a killed run goes on where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path


def digest(files: Sequence[Path], words: Sequence[str]) -> str:
    """SHA-256 over the contents of ``files`` and over ``words``."""
    total = hashlib.sha256("\0".join(words).encode())
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def once(
    mark: Path, files: Sequence[Path], words: Sequence[str], outputs: Sequence[Path], work: Callable[[], None]
) -> None:
    """Do ``work``, which writes ``outputs`` from ``files`` and what ``words`` say, unless ``mark`` says it is done.

    A step counts as done only if its outputs are there and unchanged.
    """
    key = digest(files, words)
    if mark.exists() and all(o.exists() for o in outputs) and mark.read_text() == f"{key} {digest(outputs, ())}":
        return
    mark.unlink(missing_ok=True)
    work()
    if all(o.exists() for o in outputs):
        mark.write_text(f"{key} {digest(outputs, ())}")
