"""A run directory: what every stage made, from which input, so that a killed run goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import bitsmith
from bitsmith.models.ir.errors import InputError

STAGES = "stages"


def say(text: str) -> None:
    """Progress, on standard error: standard output belongs to the result."""
    print(text, file=sys.stderr, flush=True)


def writable_folder(path: Path) -> Path:
    """``path`` made and tried out; InputError if nothing can be written there."""
    probe = path / ".write-test"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise InputError(f"cannot write into {path} ({error.strerror}); give another folder with --out") from error
    return path


def write_json(path: Path, value: Any) -> None:
    """Write atomically: a reader never sees half a file."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(json.dumps(value, indent=1) + "\n")
    os.replace(temporary, path)


def digest(value: Any) -> str:
    """SHA-256 of plain data."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def code_digest(*parts: str) -> str:
    """SHA-256 over the files of parts of the package: a stage made by other code is made anew."""
    root = Path(bitsmith.__file__).parent
    total = hashlib.sha256()
    for part in parts:
        for path in sorted((root / part).resolve().rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()


@dataclass(frozen=True)
class Done:
    """A finished stage: its result as plain data, and how long it took."""

    result: dict[str, Any]
    seconds: float
    repeated: bool  # taken from an earlier run


class RunDir:
    """The folder of one run and the records of its stages."""

    def __init__(self, folder: Path) -> None:
        self.folder = writable_folder(folder)
        (self.folder / STAGES).mkdir(exist_ok=True)

    def stage(
        self,
        name: str,
        inputs: dict[str, Any],
        code: Sequence[str],
        files: Sequence[str],
        run: Callable[[], dict[str, Any]],
    ) -> Done:
        """Run a stage, unless its record has the same input, the same code, and unharmed ``files``.

        ``inputs`` is plain data that says everything the stage depends on, ``code``
        the parts of the package that it runs, ``files`` what it writes (relative).
        """
        key = digest({"inputs": inputs, "code": code_digest(*code)})
        record = self.folder / STAGES / f"{name.replace('/', '-')}.json"
        old = self._read(record)
        if old.get("key") == key and self._unharmed(old.get("files", {})):
            say(f"{name}: done before ({old['seconds']:.1f} s then)")
            return Done(old["result"], old["seconds"], True)
        say(f"{name} ...")
        record.unlink(missing_ok=True)
        started = time.monotonic()
        result = run()
        seconds = time.monotonic() - started
        digests = {f: file_digest(self.folder / f) for f in files}
        write_json(record, {"key": key, "seconds": seconds, "result": result, "files": digests})
        say(f"{name}: {seconds:.1f} s")
        return Done(result, seconds, False)

    def fresh(self, name: str) -> Path:
        """An empty subfolder: what an earlier run left in it is removed."""
        path = self.folder / name
        if path.exists():
            shutil.rmtree(path)
        path.mkdir(parents=True)
        return path

    def _unharmed(self, digests: dict[str, str]) -> bool:
        return all((self.folder / f).is_file() and file_digest(self.folder / f) == d for f, d in digests.items())

    @staticmethod
    def _read(record: Path) -> dict[str, Any]:
        try:
            data: dict[str, Any] = json.loads(record.read_text())
        except (OSError, ValueError):
            return {}
        return data
