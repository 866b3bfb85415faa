"""The backends by name; each is imported when it is used."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from bitsmith.hls.backends.base import Backend
from bitsmith.models.ir.errors import InputError


def _rtl_unrolled() -> Backend:
    from bitsmith.hls.backends.rtl.unrolled.backend import RtlUnrolled

    return RtlUnrolled()


def _rtl_folded() -> Backend:
    from bitsmith.hls.backends.rtl.folded.backend import RtlFolded

    return RtlFolded()


def _hls4ml() -> Backend:
    from bitsmith.hls.backends.hls4ml.backend import Hls4ml

    return Hls4ml()


def _qonnx() -> Backend:
    from bitsmith.hls.backends.qonnx.backend import QonnxBackend

    return QonnxBackend()


def _finn() -> Backend:
    from bitsmith.hls.backends.finn.backend import FinnBackend

    return FinnBackend()


LOADERS: dict[str, Callable[[], Backend]] = {
    "rtl-unrolled": _rtl_unrolled,
    "rtl-folded": _rtl_folded,
    "hls4ml": _hls4ml,
    "qonnx": _qonnx,
    "finn": _finn,
}


def load_backend(name: str) -> Backend:
    """The backend called ``name``; InputError with the nearest names."""
    if name not in LOADERS:
        near = difflib.get_close_matches(name, LOADERS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"unknown backend {name}; {hint}there are: {', '.join(LOADERS)}")
    return LOADERS[name]()
