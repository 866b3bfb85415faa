"""Data sets: where they are found, checked and loaded."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from bitsmith.models.data.cifar import load_cifar
from bitsmith.models.data.dataset import Dataset
from bitsmith.models.data.digits import load_digits
from bitsmith.models.data.files import Places, read_sources
from bitsmith.models.data.idx import load_idx
from bitsmith.models.data.jets import load_jets
from bitsmith.models.ir.errors import InputError

__all__ = ["Dataset", "load", "names"]

CACHE_DIR = Path(".cache", "bitsmith")  # below the home folder, unless the caller names another


def _loaders(places: Places, progress: bool) -> dict[str, Callable[[], Dataset]]:
    sources = read_sources()
    return {
        "digits": load_digits,
        "mnist": lambda: load_idx(sources["mnist"], places, progress),
        "fashion": lambda: load_idx(sources["fashion"], places, progress),
        "cifar10": lambda: load_cifar(sources["cifar10"], places, progress),
        "jets": lambda: load_jets(places, progress),
    }


def names() -> list[str]:
    """The data sets that ``load`` knows."""
    return list(_loaders(Places(None, CACHE_DIR), progress=False))


def load(name: str, data_dir: Path | None = None, cache_dir: Path | None = None, progress: bool = True) -> Dataset:
    """The data set ``name`` with its fixed split.

    Files are looked for in ``data_dir/<name>``, then in ``cache_dir/<name>``
    (default ``~/.cache/bitsmith``), then downloaded into the cache with a
    progress bar on standard error; their SHA-256 is checked wherever they lie.
    InputError for an unknown name, a wrong or damaged file, or a file that
    cannot be had: the message says where to put it.
    """
    loaders = _loaders(Places(data_dir, cache_dir or Path.home() / CACHE_DIR), progress)
    if name not in loaders:
        near = difflib.get_close_matches(name, loaders, n=1)
        hint = f"did you mean {near[0]}?" if near else "choose one of these"
        raise InputError(f"there is no data set {name!r}; {hint} (known: {', '.join(loaders)})")
    return loaders[name]()
