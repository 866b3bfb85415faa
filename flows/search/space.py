"""The search space: what may vary, from TOML, as a flat list of parameters of one task."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bitsmith.flows.config import TaskConfig, problems_in
from bitsmith.flows.search.architecture import blocks, can_grow, has_kernel, width_groups
from bitsmith.models.ir.errors import InputError
from bitsmith.models.zoo.graph import final_sparsity, nodes
from bitsmith.models.zoo.spec import Bits, WeightedSpec

SPACES = Path(__file__).with_name("spaces")
DEFAULT_SPACE = "bits+sparsity"

Value = int | float | bool | str
Share = Annotated[float, Field(ge=0, lt=1)]
Per = Literal["layer", "net"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BitsPart(_Part):
    """Widths; an empty list leaves the task's own."""

    weights: tuple[Bits, ...] = ()
    activations: tuple[Bits, ...] = ()
    input: tuple[Bits, ...] = ()
    per: Per = "layer"


class SparsityPart(_Part):
    """Shares of zero weights."""

    values: tuple[Share, ...] = ()
    per: Per = "layer"


class ArchitecturePart(_Part):
    """Modular blocks: every layer with weights but the last is one (Ren et al., arXiv:2006.02903, section 3.1)."""

    width: tuple[Annotated[float, Field(gt=0, le=8)], ...] = ()  # times the task's
    depth: tuple[Annotated[int, Field(ge=0, le=4)], ...] = ()  # layers in the block; 0 leaves it out
    kernel: tuple[Annotated[int, Field(ge=1, le=11)], ...] = ()
    skip: tuple[bool, ...] = ()  # whether a layer that keeps its shape is added to its input


class HardwarePart(_Part):
    """What changes the hardware, never the integers."""

    backends: tuple[str, ...] = ()
    boards: tuple[str, ...] = ()
    target_ii: tuple[Annotated[int, Field(ge=1)], ...] = ()
    clock_mhz: tuple[Annotated[float, Field(gt=0, le=2000)], ...] = ()
    reuse: tuple[Annotated[int, Field(ge=1)], ...] = ()


class Space(_Part):
    """What may vary; a part that is left out stays as the task has it."""

    bits: BitsPart = BitsPart()
    sparsity: SparsityPart = SparsityPart()
    architecture: ArchitecturePart = ArchitecturePart()
    hardware: HardwarePart = HardwarePart()


@dataclass(frozen=True)
class Parameter:
    """One choice: ``values`` in order of size where there is one, and the one nearest to the task's ``own``."""

    name: str  # "hidden.weight_bits", "sparsity", "backend"
    values: tuple[Value, ...]
    own: Value

    @property
    def ordered(self) -> bool:
        """Whether neighbours are alike."""
        return not isinstance(self.values[0], str | bool)


def space_names() -> list[str]:
    """The spaces that come with the package."""
    return sorted(path.stem for path in SPACES.glob("*.toml"))


def read_space(name: str) -> Space:
    """A bundled space, or one in a TOML file; InputError with every problem."""
    path = SPACES / f"{name}.toml" if name in space_names() else Path(name)
    if not path.is_file():
        raise InputError(f"no such space: {name}; take one of {', '.join(space_names())}, or a TOML file")
    try:
        return Space.model_validate(tomllib.loads(path.read_text()))
    except ValidationError as error:
        raise InputError(f"{path} {problems_in(error, Space)}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} cannot be read as TOML: {error}") from error


def parameters(space: Space, task: TaskConfig) -> tuple[Parameter, ...]:
    """The choices that the space leaves for this task; InputError if nothing may vary.

    What could change nothing has no parameter: a kernel for a dense layer, a depth
    for one with strides, an interval for a backend that takes none.
    """
    found = [*_bits(space.bits, task), *_sparsity(space.sparsity, task), *_architecture(space.architecture, task)]
    found += _hardware(space.hardware, task)
    if not found:
        raise InputError("nothing may vary in this space; give a part of it at least two values")
    return tuple(found)


def _several(layer: str, choices: Mapping[str, tuple[Sequence[Value], Value]]) -> list[Parameter]:
    """A parameter for each of these values, and the task's own, that leaves a choice."""
    prefix = f"{layer}." if layer else ""
    found = []
    for name, (values, own) in choices.items():
        each = tuple(dict.fromkeys(values))
        if len(each) > 1:
            each = each if isinstance(own, str) else tuple(sorted(each))
            found.append(Parameter(prefix + name, each, closest(each, own)))
    return found


def closest(values: Sequence[Value], value: Value) -> Value:
    """The nearest of ``values``; of names the same, else the first."""
    if value in values:
        return values[values.index(value)]  # 8, where 8.0 is asked for
    if isinstance(value, str) or isinstance(values[0], str):
        return values[0]
    return min(values, key=lambda v: abs(float(v) - float(value)))


def _bits(part: BitsPart, task: TaskConfig) -> list[Parameter]:
    inputs = tuple(bits for bits in part.input if bits <= task.net.input.bits)
    found = _several("input", {"bits": (inputs, task.net.input.bits)})
    part = _trainable(part, task)
    if part.per == "net":
        own = {"weight_bits": (part.weights, task.net.weight_bits)}
        return found + _several("", {**own, "activation_bits": (part.activations, task.net.activation_bits)})
    for node in nodes(task.net):
        weights = part.weights if isinstance(node.layer, WeightedSpec) else ()
        values = part.activations if node.activation != "none" else ()
        widths = {"weight_bits": (weights, node.weight_grid.bits)}
        found += _several(node.name, {**widths, "activation_bits": (values, node.activation_grid.bits)})
    return found


def _trainable(part: BitsPart, task: TaskConfig) -> BitsPart:
    """Without single bits where the framework has none: QKeras' scales per channel, Brevitas' learned scales."""
    weights, activations = part.weights, part.activations
    if task.net.weight_scales == "channel" and task.train.framework == "qkeras":
        weights = tuple(bits for bits in weights if bits > 1)
    if task.net.activation_scales == "tensor":
        activations = tuple(bits for bits in activations if bits > 1)
    return part.model_copy(update={"weights": weights, "activations": activations})


def _sparsity(part: SparsityPart, task: TaskConfig) -> list[Parameter]:
    usual = task.train.final_sparsity
    if part.per == "net":
        return _several("", {"sparsity": (part.values, usual)})
    found = []
    for node in nodes(task.net):
        if isinstance(node.layer, WeightedSpec):
            found += _several(node.name, {"sparsity": (part.values, final_sparsity(node, usual))})
    return found


def _architecture(part: ArchitecturePart, task: TaskConfig) -> list[Parameter]:
    found: list[Parameter] = []
    for group in width_groups(task.net):
        found += _several(group[0], {"width": (part.width, 1.0)})
    for node in blocks(task.net):
        depth, skip = (part.depth, part.skip) if can_grow(task.net, node) else ((), ())
        skip = skip if max(depth, default=1) > 1 else ()  # around the second layer of a block, and those after it
        kernel = part.kernel if has_kernel(node) else ()
        own = getattr(node.layer, "kernel", (1,))[0]
        found += _several(node.name, {"depth": (depth, 1), "kernel": (kernel, own), "skip": (skip, False)})
    return found


def _hardware(part: HardwarePart, task: TaskConfig) -> list[Parameter]:
    own = task.hardware
    choices: dict[str, tuple[Sequence[Value], Value]] = {
        "backend": (part.backends, own.backends[0]),
        "board": (part.boards, own.board),
        "target_ii": (part.target_ii, own.target_ii or 1),
        "clock_mhz": (part.clock_mhz, own.clock_mhz),
        "reuse": (part.reuse, own.reuse),
    }
    backends = part.backends or own.backends[:1]
    unused = [name for name, backend in USED_BY.items() if backend not in backends]
    return _several("", {name: choice for name, choice in choices.items() if name not in unused})


USED_BY = {"target_ii": "rtl-folded", "reuse": "hls4ml"}
"""What only one backend looks at."""
