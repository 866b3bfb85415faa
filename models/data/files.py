"""One way to come by a data file: the data folder, the cache, the network; always with its SHA-256."""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import tomllib
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bitsmith.models.ir.errors import InputError

BLOCK_BYTES = 1 << 20
TIMEOUT_S = 30.0
SOURCES = Path(__file__).with_name("sources.toml")


@dataclass(frozen=True)
class Source:
    """Where the files of one data set are published, and what they must hash to."""

    name: str
    title: str
    folders: tuple[str, ...]
    base: tuple[str, ...]
    sha256: Mapping[str, str]


@dataclass(frozen=True)
class Places:
    """Where to look: the user's data folder (never written to), and the cache (downloads go there)."""

    data_dir: Path | None
    cache_dir: Path

    def folders(self, source: Source) -> list[Path]:
        """Every folder that may hold files of ``source``, in the order they are tried."""
        own = [self.data_dir / folder for folder in source.folders] if self.data_dir else []
        return [*own, self.cache_dir / source.name]


def read_sources(path: Path = SOURCES) -> dict[str, Source]:
    """The sources by name."""
    table = tomllib.loads(path.read_text())
    return {
        name: Source(name, entry["title"], tuple(entry["folders"]), tuple(entry["base"]), entry["sha256"])
        for name, entry in table.items()
    }


def find(source: Source, file: str, places: Places) -> Path | None:
    """The file where it already lies, its hash checked; None if it is nowhere.

    InputError if a file of the data folder has another hash.  A damaged file of
    the cache counts as absent, since a download replaces it.
    """
    for folder in places.folders(source):
        path = folder / file
        if not path.is_file():
            continue
        found = _sha256(path)
        if found == source.sha256[file]:
            return path
        if folder != places.cache_dir / source.name:
            wanted = source.sha256[file]
            raise InputError(f"{path} is not the published file: its SHA-256 is {found}, not {wanted}; replace it")
    return None


def fetch(source: Source, file: str, places: Places, progress: bool) -> Path:
    """The file from wherever it can be had; InputError saying where to put it if it cannot."""
    path = find(source, file, places)
    if path is not None:
        return path
    target = places.cache_dir / source.name / file
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the cache folder {target.parent} cannot be made: {error}; name another one") from error
    reasons = []
    for base in source.base:
        try:
            _download(base + file, target, source.sha256[file], progress)
        except (OSError, http.client.HTTPException, ValueError) as error:
            reasons.append(f"  {base}{file}: {error or type(error).__name__}")
        else:
            return target
    raise InputError(_nowhere(source, file, places, reasons))


def _nowhere(source: Source, file: str, places: Places, reasons: list[str]) -> str:
    looked = " or ".join(str(folder) for folder in places.folders(source))
    goal = places.folders(source)[0]
    return "\n".join(
        [
            f"data set {source.name} needs the file {file}, which is not in {looked} and cannot be downloaded:",
            *reasons,
            f"fetch it elsewhere from one of these addresses and put it into {goal}",
        ]
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _download(url: str, target: Path, sha256: str, progress: bool) -> None:
    """``url`` into ``target``: under another name until its hash is right, so no partial file is ever seen."""
    from tqdm import tqdm

    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    digest = hashlib.sha256()
    done = 0
    try:
        with os.fdopen(handle, "wb") as out, urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            size = response.headers.get("Content-Length")
            total = int(size) if size else None
            with tqdm(total=total, unit="B", unit_scale=True, desc=target.name, disable=not progress) as bar:
                while block := response.read(BLOCK_BYTES):
                    out.write(block)
                    digest.update(block)
                    done += len(block)
                    bar.update(len(block))
        if total is not None and done != total:
            raise OSError(f"the connection ended after {done:,} of {total:,} bytes")
        if digest.hexdigest() != sha256:
            raise ValueError(f"what came has the SHA-256 {digest.hexdigest()}, not {sha256}")
        os.replace(temporary, target)
    finally:
        Path(temporary).unlink(missing_ok=True)
