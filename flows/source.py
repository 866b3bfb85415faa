"""What MODEL on the command line is: a task, a config, a Keras or ONNX file, or a saved net."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from bitsmith.flows.config import TaskConfig, read_config
from bitsmith.models.ir.errors import InputError
from bitsmith.models.zoo import task_path, tasks

MODEL_SUFFIXES = (".h5", ".hdf5", ".keras", ".onnx")
CONFIG_SUFFIX = ".toml"


@dataclass(frozen=True)
class Source:
    """Where a network comes from; exactly one of the three is set."""

    name: str
    config: TaskConfig | None = None  # to be trained
    model: Path | None = None  # of a framework, to be lowered
    net: Path | None = None  # a folder with net.json


def find_source(model: str) -> Source:
    """What ``model`` names; InputError with the nearest task or the accepted suffixes."""
    if model in tasks():
        return Source(model, config=read_config(task_path(model)))
    path = Path(model)
    if path.is_dir():
        return Source(path.resolve().name, net=_net_folder(path))
    suffix = path.suffix.lower()
    if not path.exists():
        raise InputError(_unknown(model))
    if suffix == CONFIG_SUFFIX:
        config = read_config(path)
        return Source(config.name, config=config)
    if suffix in MODEL_SUFFIXES:
        return Source(path.stem, model=path)
    accepted = ", ".join((CONFIG_SUFFIX, *MODEL_SUFFIXES))
    raise InputError(
        f"{path} has the suffix {suffix or '(none)'}; a model is a task, a net folder, or a file {accepted}"
    )


def _net_folder(path: Path) -> Path:
    for folder in (path, path / "net"):
        if (folder / "net.json").exists():
            return folder
    raise InputError(f"{path} holds no net (net.json); make one with bitsmith import or bitsmith train")


def _unknown(model: str) -> str:
    near = difflib.get_close_matches(model, tasks(), n=2)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"no such file or task: {model}{hint} Tasks: {', '.join(tasks())}"
