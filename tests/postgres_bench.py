"""A PostgreSQL server of our own, in a folder of its own, which may crash."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


def binaries() -> Path | None:
    """Folder of initdb and pg_ctl; Debian keeps them off the PATH."""
    folders = [Path(p) for p in os.environ.get("PATH", "").split(os.pathsep)]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").is_file() and (f / "pg_ctl").is_file()), None)


@dataclass(frozen=True)
class Server:
    """Its folder, its port, and who runs it: PostgreSQL refuses to be root."""

    bin: Path
    folder: Path
    port: int
    user: str | None

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://sweep@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *args: str) -> None:
        who: dict[str, Any] = {"user": self.user, "extra_groups": []} if self.user else {}
        log = (self.folder / "log").open("a")
        command = [str(self.bin / program), "-D", str(self.folder / "data"), *args]
        subprocess.run(command, cwd=self.folder, stdout=log, stderr=log, check=True, timeout=60, **who)

    def start(self) -> None:
        self.run("pg_ctl", "start", "-w", "-o", f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1")

    def crash(self) -> None:
        """Without a word to anybody; the next start recovers."""
        self.run("pg_ctl", "stop", "-m", "immediate")

    def backends(self) -> list[int]:
        """Processes that serve connections, but for the one that asks."""
        import psycopg

        with psycopg.connect(self.url.replace("+psycopg", "")) as connection:
            rows = connection.execute(
                "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
            ).fetchall()
        return [int(row[0]) for row in rows]


@contextmanager
def server() -> Iterator[Server]:
    """A running one; skips the test where there is none."""
    pytest.importorskip("psycopg", reason="pip install 'bitsmith[postgres]'")
    found = binaries()
    if found is None:
        pytest.skip("no PostgreSQL server is installed: initdb and pg_ctl")
    user = None
    folder = Path(tempfile.mkdtemp(prefix="bitsmith-postgres-"))
    if os.geteuid() == 0:
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if "postgres" in names else "nobody"
        shutil.chown(folder, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made = Server(found, folder, port, user)
    try:
        made.run("initdb", "-A", "trust", "-U", "sweep")
        made.start()
        yield made
        made.crash()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
