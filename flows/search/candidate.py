"""A candidate: one value per parameter, and the task that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitsmith.flows.config import TaskConfig
from bitsmith.flows.rundir import digest
from bitsmith.flows.search.architecture import reshaped
from bitsmith.flows.search.space import USED_BY, Value
from bitsmith.models.zoo.graph import nodes
from bitsmith.models.zoo.spec import NetSpec, WeightedSpec

Choices = Mapping[str, Value]


def config_of(task: TaskConfig, choices: Choices) -> TaskConfig:
    """The task with ``choices`` in place of its own values; ValueError if no net is like that (a layer left out that
    another needs, for example)."""
    net = reshaped(_narrowed(task.net, choices), choices)
    hardware = {name: choices[name] for name in ("board", "target_ii", "clock_mhz", "reuse") if name in choices}
    if "backend" in choices:
        hardware["backends"] = (str(choices["backend"]),)  # type: ignore[assignment]
    changed = task.hardware.model_copy(update=hardware)
    own = {name: getattr(task.hardware, name) for name, backend in USED_BY.items() if changed.backends[0] != backend}
    changed = changed.model_copy(update=own)
    train = task.train
    if "sparsity" in choices:
        train = train.model_copy(update={"final_sparsity": choices["sparsity"]})
    return task.model_copy(update={"net": net, "train": train, "hardware": changed})


def fingerprint(config: TaskConfig) -> str:
    """SHA-256 of what the hardware and the integers follow from, whatever the training: two candidates may be one."""
    return digest(
        {
            "net": config.net.model_dump(mode="json"),
            "sparsity": config.train.final_sparsity,
            "hardware": config.hardware.model_dump(mode="json"),
        }
    )


def _narrowed(spec: NetSpec, choices: Choices) -> NetSpec:
    """Bits and zeros; a net-wide choice takes the place of a layer's own values."""
    net: dict[str, Any] = {}
    wide = [name for name in ("weight_bits", "activation_bits", "sparsity") if name in choices]
    net |= {name: choices[name] for name in wide if name != "sparsity"}
    layers = []
    for node in nodes(spec):
        own: dict[str, Any] = {name: None for name in wide if hasattr(node.layer, name)}
        own |= {name: choices[key] for name in LAYER_CHOICES if (key := f"{node.name}.{name}") in choices}
        bits = own.get("weight_bits") or net.get("weight_bits") or node.weight_grid.bits
        if isinstance(node.layer, WeightedSpec) and bits == 1:
            own["sparsity"] = None  # a single bit has no zero
        layers.append(node.layer.model_copy(update={**own, "name": node.name}))
    if "input.bits" in choices:
        net["input"] = spec.input.model_copy(update={"bits": choices["input.bits"]})
    changed = spec.model_copy(update={**net, "layers": tuple(layers)})
    return NetSpec.model_validate(changed.model_dump())


LAYER_CHOICES = ("weight_bits", "activation_bits", "sparsity")
