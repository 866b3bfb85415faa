"""The configuration of a run: TOML, validated as a whole, all errors at once."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bitsmith.models.ir.errors import InputError
from bitsmith.models.train.settings import TrainSettings
from bitsmith.models.zoo.spec import NetSpec


class Section(BaseModel):
    """Base of the sections: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DataConfig(Section):
    """Which data set."""

    name: str


class Folded(Section):
    """How one op of an rtl-folded design is folded: PE outputs at a time, SIMD inputs of each, or unrolled."""

    pe: int | None = Field(default=None, ge=1)
    simd: int = Field(default=1, ge=1)
    mult: Literal["auto", "lut", "dsp", "packed", "unrolled"] = "auto"
    unrolled: bool = False  # the same as mult = "unrolled"

    @model_validator(mode="after")
    def _has_pe(self) -> Folded:
        if self.pe is None and not self.is_unrolled:
            raise ValueError("pe is missing")
        return self

    @property
    def is_unrolled(self) -> bool:
        """Whether the whole matrix becomes one adder graph, whatever pe and simd say."""
        return self.unrolled or self.mult == "unrolled"


class HardwareConfig(Section):
    """What the design is built for; every key has a default."""

    board: str = "arty-a7-35t"
    backends: tuple[str, ...] = Field(default=("rtl-unrolled",), min_length=1)
    clock_mhz: float = Field(default=100.0, gt=0, le=2000)
    output: Literal["logits", "argmax"] = "logits"
    reuse: int = Field(default=1, ge=1)
    target_ii: int | None = Field(default=None, ge=1)
    target_latency: int | None = Field(default=None, ge=1)
    target_rate: float | None = Field(default=None, ge=1e-6, allow_inf_nan=False)
    folding: dict[str, Folded] = Field(default_factory=dict)
    io: Literal["io_parallel", "io_stream"] = "io_parallel"
    strategy: Literal["latency", "resource"] = "latency"
    hls_tool: Literal["vitis", "vivado", "quartus", "oneapi", "catapult", "libero"] = "vitis"


class TaskConfig(Section):
    """A task: data, network, training, hardware."""

    name: str
    title: str = ""
    data: DataConfig
    net: NetSpec
    train: TrainSettings = TrainSettings()
    hardware: HardwareConfig = HardwareConfig()


def read_config(path: Path) -> TaskConfig:
    """The validated config in ``path``; InputError with every problem and the nearest key to an unknown one."""
    try:
        data = tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise InputError(f"no such file: {path}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} cannot be read as TOML: {error}") from error
    data.setdefault("name", path.stem)
    try:
        return TaskConfig.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{path} {problems_in(error)}") from error


def problems_in(error: ValidationError, root: type[BaseModel] = TaskConfig) -> str:
    """All problems that pydantic found in a ``root``, one per line."""
    lines = "\n  ".join(_explain(e, root) for e in error.errors())
    count = error.error_count()
    return f"has {count} problem{'s' if count > 1 else ''}:\n  {lines}"


def write_config(config: TaskConfig, path: Path) -> None:
    """The resolved config, every default spelled out."""
    path.write_text(tomli_w.dumps(_without_none(config.model_dump(mode="json", by_alias=True))))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return [_without_none(v) for v in value] if isinstance(value, list) else value


def _explain(error: Any, root: type[BaseModel]) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        return f"{where}: {error['msg']}"
    near = difflib.get_close_matches(str(error["loc"][-1]), sorted(_known_keys(root)), n=1)
    return f"{where}: unknown key" + (f", did you mean {near[0]}?" if near else "")


def _known_keys(root: type[BaseModel]) -> set[str]:
    """Every key of every section, for the nearest name."""
    found: set[str] = set()
    for schema in (root.model_json_schema(), *root.model_json_schema().get("$defs", {}).values()):
        found |= set(schema.get("properties", {}))
    return found
