"""Training: one session for all frameworks, one adapter and one loop per framework."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bitsmith.models.data.dataset import Dataset
    from bitsmith.models.train.results import TrainResult
    from bitsmith.models.train.settings import TrainSettings
    from bitsmith.models.zoo.spec import NetSpec

__all__ = ["train"]


def train(spec: NetSpec, data: Dataset, settings: TrainSettings, out: Path, progress: bool = True) -> TrainResult:
    """Train ``spec`` in ``settings.framework``; see :func:`bitsmith.models.train.session.run`."""
    if settings.framework == "brevitas":
        from bitsmith.models.train.brevitas import train as start
    else:
        from bitsmith.models.train.keras import train as start
    return start(spec, data, settings, out, progress)
