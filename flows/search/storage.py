"""Where the ledger lies: a journal in the sweep's folder, or a database; and what may go wrong there."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bitsmith.models.ir.errors import InputError

JOURNAL = "journal.log"


def full(error: BaseException) -> bool:
    """Whether a disk, or a quota, is full."""
    return any(isinstance(e, OSError) and e.errno in (errno.ENOSPC, errno.EDQUOT) for e in _chain(error))


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


def open_storage(url: str | None, folder: Path) -> Any:
    """The database at ``url``, or the file journal in ``folder``; a line that a killed driver left half is cut off."""
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    if url:
        try:
            return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
        except (ImportError, ValueError) as error:
            raise InputError(f"--storage {url}: {error}") from error
    path = folder / JOURNAL
    _mend(path)
    lock = JournalFileOpenLock(str(path))
    Path(f"{path}.lock").unlink(missing_ok=True)  # of a driver that was killed: the folder's own lock keeps others out
    return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))


def _mend(path: Path) -> None:
    if not path.is_file():
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)
