"""A QONNX graph as the exact inverse of our own export reads it: nodes in groups, one group per op of the net."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir.types import IntArray, QuantType

QONNX_DOMAIN = "qonnx.custom_op.general"
_INTEGERS = re.compile(r"(U?)INT([1-9]\d?)")


class Foreign(Exception):
    """The graph is not in the form that our export writes."""


def require(condition: object) -> None:
    """Foreign unless ``condition`` holds."""
    if not condition:
        raise Foreign


@dataclass(frozen=True, eq=False)
class Node:
    """One node; ``attributes`` in plain Python."""

    op_type: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]

    def has(self, **expected: Any) -> None:
        """Foreign unless the node has exactly these attributes."""
        require(self.attributes == expected)


class Constants:
    """The initializers by name, as the kinds of numbers that the form has."""

    def __init__(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        self.arrays = arrays

    def real(self, name: str) -> npt.NDArray[Any]:
        """A float32 constant."""
        require(name in self.arrays and self.arrays[name].dtype == np.float32)
        return self.arrays[name]

    def integers(self, name: str) -> IntArray:
        """A float32 constant that holds integers."""
        values = self.real(name)
        require(np.isfinite(values).all() and (np.abs(values) <= 2**62).all() and (values == np.rint(values)).all())
        return values.astype(np.int64)

    def scalar(self, name: str) -> float:
        """A float32 constant of shape () or (1,); Foreign if it is not finite."""
        values = self.real(name)
        require(values.shape in ((), (1,)) and np.isfinite(values).all())
        return float(values.item())

    def indices(self, name: str) -> list[int]:
        """An int64 constant of one axis."""
        require(name in self.arrays and self.arrays[name].dtype == np.int64 and self.arrays[name].ndim == 1)
        return [int(v) for v in self.arrays[name]]


class Group:
    """The nodes between one op's value and the next; a pattern takes them one by one, from the value backwards."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._makers = {node.outputs[-1]: node for node in nodes}
        self._left = len(nodes)
        require(len(self._makers) == len(nodes))
        self.value = nodes[-1].outputs[-1]
        self._taken: set[str] = set()

    def kind(self, tensor: str) -> str:
        """Op type of the node of this group that makes ``tensor``; empty if none does."""
        return self._makers[tensor].op_type if tensor in self._makers else ""

    def peek(self, tensor: str) -> Node:
        """The node of this group that makes ``tensor``; Foreign if none does."""
        require(self.kind(tensor) and self._makers[tensor].inputs)
        return self._makers[tensor]

    def take(self, tensor: str, op_type: str, inputs: int, outputs: int = 1) -> Node:
        """The node that makes ``tensor``; Foreign if it is of another kind or form."""
        require(self.kind(tensor) == op_type)
        node = self._makers[tensor]
        custom = op_type in ("Quant", "MultiThreshold")
        require(node.domain == (QONNX_DOMAIN if custom else ""))
        require(len(node.inputs) == inputs and len(node.outputs) == outputs)
        self._taken.add(tensor)
        return node

    def finish(self) -> None:
        """Foreign if a node of the group is left over."""
        require(len(self._taken) == self._left)


class Types:
    """Number types from the annotations: ``finn_datatype`` for the integers, ``SCALE_TENSOR`` for their scale."""

    def __init__(self, annotations: dict[str, dict[str, str]], constants: Constants) -> None:
        self._annotations = annotations
        self._arrays = constants.arrays

    def of(self, tensor: str) -> QuantType:
        """The type of ``tensor``; Foreign if it has none."""
        entries = self._annotations.get(tensor, {})
        found = _INTEGERS.fullmatch(entries.get("finn_datatype", ""))
        if not found:
            raise Foreign
        return QuantType(int(found[2]), not found[1], self._scale(entries))

    def _scale(self, entries: dict[str, str]) -> float | tuple[float, ...]:
        if "SCALE_TENSOR" not in entries:
            return 1.0
        name = entries["SCALE_TENSOR"]
        require(name in self._arrays and self._arrays[name].dtype == np.float64 and self._arrays[name].ndim <= 1)
        values = self._arrays[name]
        return tuple(float(v) for v in values) if values.ndim else float(values)


def attributes(node: Any) -> dict[str, Any]:
    """The attributes of a ``NodeProto`` in plain Python; Foreign for graphs and other kinds that the form lacks."""
    import onnx

    plain: dict[str, Any] = {}
    for attribute in node.attribute:
        value = onnx.helper.get_attribute_value(attribute)
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        elif not isinstance(value, int | float):
            value = list(value) if attribute.type == onnx.AttributeProto.INTS else None
        require(value is not None and attribute.name not in plain)
        plain[attribute.name] = value
    return plain
