"""Where the ledger lies: a journal in the sweep's folder, or a database; and what may go wrong there."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bitsmith.models.ir.errors import InputError, ToolError

JOURNAL = "journal.log"


def full(error: BaseException) -> bool:
    """Whether a disk, or a quota, is full."""
    return any(isinstance(e, OSError) and e.errno in (errno.ENOSPC, errno.EDQUOT) for e in _chain(error))


def out_of_room(error: BaseException) -> ToolError:
    """What to say where ``full`` holds; nothing is lost."""
    return ToolError(f"the disk is full ({error}); make room and give the same command again")


def cut_off(error: BaseException) -> bool:
    """Whether the storage could not be reached, so that it is worth trying again."""
    for e in _chain(error):
        if type(e).__module__.startswith("sqlalchemy") and type(e).__name__ in ("OperationalError", "InterfaceError"):
            return True
        if getattr(e, "connection_invalidated", False) or isinstance(e, ConnectionError):
            return True
        if isinstance(e, OSError) and e.errno in (errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENETDOWN):
            return True
    return False


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def folder_id(folder: Path) -> str:
    """A name of a sweep's folder that no other folder in the world has."""
    path = folder / "id"
    if not path.is_file():
        half = folder / "id.tmp"
        half.write_text(uuid.uuid4().hex)
        os.replace(half, path)
    return path.read_text().strip()


def open_storage(url: str | None, folder: Path) -> Any:
    """The database at ``url``, or the file journal in ``folder``; a line that a killed driver left half is cut off."""
    return _database(url) if url else _journal(folder / JOURNAL)


def _database(url: str) -> Any:
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import ArgumentError

    try:
        return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
    except (ImportError, ValueError, ArgumentError) as error:
        raise InputError(
            f"--storage {url}: {error}; write postgresql+psycopg://USER@HOST/DATABASE, "
            "and pip install 'bitsmith[postgres]'"
        ) from error


def _journal(path: Path) -> Any:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    class Whole(JournalFileBackend):
        """Lines are written whole or not at all: after half a line no later one could be read."""

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            size = path.stat().st_size
            try:
                super().append_logs(logs)
            except BaseException:
                _cut(path, size)
                raise

    _mend(path)
    lock = JournalFileOpenLock(str(path))
    Path(f"{path}.lock").unlink(missing_ok=True)  # of a driver that was killed: the folder's own lock keeps others out
    return JournalStorage(Whole(str(path), lock_obj=lock))


def _mend(path: Path) -> None:
    if path.is_file():
        data = path.read_bytes()
        _cut(path, data.rfind(b"\n") + 1)


def _cut(path: Path, size: int) -> None:
    if path.stat().st_size > size:
        os.truncate(path, size)
