"""One network on its way through a run directory."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bitsmith.flows.options import Options
from bitsmith.flows.rundir import RunDir
from bitsmith.flows.source import Source
from bitsmith.models import data as datasets
from bitsmith.models.train.settings import TrainSettings

MODEL_FILES = {"qkeras": ("model.h5",), "brevitas": ("model.onnx", "model.pt")}
FRAMEWORK_PACKAGES = {
    "qkeras": ("tensorflow", "qkeras"),
    "brevitas": ("torch", "brevitas", "onnxruntime", "qonnx"),
}
NET = "net"
"""Folder of the net in a run directory."""


@dataclass
class Job:
    """One network on its way through the stages of one run directory."""

    source: Source
    options: Options
    run: RunDir

    @property
    def seed(self) -> int:
        """The seed of everything random in this run."""
        if self.options.seed is not None:
            return self.options.seed
        return self.source.config.train.seed if self.source.config else 0

    @property
    def dataset_name(self) -> str | None:
        """The data set to measure accuracy on, if there is one."""
        if self.options.dataset:
            return self.options.dataset
        return self.source.config.data.name if self.source.config else None

    @cached_property
    def dataset(self) -> datasets.Dataset | None:
        """The data set itself, loaded once."""
        if self.dataset_name is None:
            return None
        return datasets.load(self.dataset_name, self.options.data_dir)

    @property
    def training(self) -> TrainSettings | None:
        """How the task is trained, the command line's choices on top; None if MODEL is not a task."""
        if self.source.config is None:
            return None
        asked = {"framework": self.options.framework, "seed": self.seed}
        return self.source.config.train.model_copy(update={k: v for k, v in asked.items() if v is not None})

    @property
    def framework(self) -> str:
        """``qkeras`` or ``brevitas``: which front end and which packages the model needs."""
        if self.training is not None:
            return self.training.framework
        return "brevitas" if self.source.model and self.source.model.suffix.lower() == ".onnx" else "qkeras"

    @property
    def model_path(self) -> Path:
        """The framework's model: the user's file, or the one that was trained."""
        return self.source.model or self.run.folder / MODEL_FILES[self.framework][0]


def versions(*packages: str) -> dict[str, str]:
    """Installed versions, ``missing`` where there is none."""
    found = {}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "missing"
    return found
