"""ONNX nodes that only rearrange elements, and those that name a class at the end."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bitsmith.models.ir.ops import Shape
from bitsmith.models.lower.functions import Function, Refusal
from bitsmith.models.lower.lowering import Value, without_common
from bitsmith.models.lower.onnx.graph import FLOATS, Node
from bitsmith.models.lower.onnx.layers import Handler
from bitsmith.models.lower.onnx.state import Given, State, constant, tensor
from bitsmith.models.lower.onnx.values import Tensor, flat

BATCH = "keep the batch as the first axis"


def identity(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Nodes that do nothing at inference."""
    return tensor(xs[0])


def cast(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Cast between floats; to integers it would truncate."""
    if int(node.attributes.get("to", 1)) not in FLOATS and not _is_class(s, tensor(xs[0])):
        raise Refusal("casts to integers", "quantize with a Quant instead")
    return tensor(xs[0])


def _is_class(s: State, t: Tensor) -> bool:
    return s.n.builder.ops[t.value.op].kind == "argmax"


def _moved(t: Tensor, shape: Sequence[int]) -> Tensor:
    """The same elements in another shape, which has the batch (1) in front."""
    if not shape or shape[0] != 1 or math.prod(shape) != t.places.size:
        raise Refusal(f"reshapes {(1, *t.shape)} to {tuple(shape)}", BATCH)
    return Tensor(t.value, t.places.reshape(tuple(shape[1:])))


def reshape(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Reshape, with 0 (as it was) and -1 (the rest)."""
    t = tensor(xs[0])
    wanted = [int(d) for d in constant(xs[1], "shape").values] if len(xs) > 1 else list(node.ints("shape", ()))
    have = (1, *t.shape)
    if not node.attributes.get("allowzero", 0):
        wanted = [have[i] if d == 0 and i < len(have) else d for i, d in enumerate(wanted)]
    if wanted[:1] == [s.graph.batch]:
        wanted[0] = 1
    known = math.prod(d for d in wanted if d != -1)
    return _moved(t, [t.places.size // max(known, 1) if d == -1 else d for d in wanted])


def flatten(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Flatten from axis 1 on."""
    t = tensor(xs[0])
    axis = int(node.attributes.get("axis", 1)) % (len(t.shape) + 2)
    whole = (1, *t.shape)
    return _moved(t, (math.prod(whole[:axis]), math.prod(whole[axis:])))


def transpose(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Transpose that leaves the batch alone."""
    t = tensor(xs[0])
    perm = node.ints("perm", tuple(reversed(range(len(t.shape) + 1))))
    if perm[0] != 0:
        raise Refusal(f"moves the batch (perm {perm})", BATCH)
    return Tensor(t.value, np.transpose(t.places, [p - 1 for p in perm[1:]]))


def squeeze(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Squeeze and Unsqueeze."""
    t = tensor(xs[0])
    axes = node.ints("axes", ())
    if len(xs) > 1 and xs[1] is not None:
        axes = tuple(int(a) for a in constant(xs[1], "axes").values)
    whole = np.expand_dims(t.places, 0)
    if node.op == "Unsqueeze":
        rank = whole.ndim + len(axes)
        shape: Shape = np.expand_dims(whole, tuple(a % rank for a in axes)).shape
    else:
        at = axes or tuple(i for i, d in enumerate(whole.shape) if d == 1 and i)
        shape = np.squeeze(whole, tuple(a % whole.ndim for a in at)).shape
    return _moved(t, shape)


def softmax(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """Softmax over the classes: a placeholder, it belongs to the end of a network, where it is taken off."""
    t = tensor(xs[0])
    axis = int(node.attributes.get("axis", 1 if s.graph.opset < 13 else -1))
    if len(t.shape) != 1 or axis not in (1, -1):
        raise Refusal(f"is a softmax over axis {axis} of {(1, *t.shape)}", "leave it to the end of the network")

    def apply(x: object) -> object:
        raise Refusal("softmax mixes channels, which no op does", "leave it to the end of the network")

    return t.holding(s.n.then(t.value, Function("softmax", apply, np.array(0))))  # type: ignore[arg-type]


def argmax(s: State, node: Node, xs: Sequence[Given]) -> Tensor:
    """ArgMax, and TopK of one, over the classes."""
    t = tensor(xs[0])
    rank = len(t.shape) + 1
    axis = int(node.attributes.get("axis", -1 if node.op == "TopK" else 0)) % rank
    if node.op == "TopK":
        count = constant(xs[1], "k").values if len(xs) > 1 else np.asarray(node.attributes.get("k", 1))
        if int(count.reshape(-1)[0]) != 1 or not node.attributes.get("largest", 1):
            raise Refusal("takes more than the largest", "use k=1 and largest=1")
    if node.attributes.get("select_last_index", 0):
        raise Refusal("takes the last of equals", "use select_last_index=0")
    t = t.holding(without_common(t.value))
    t = flat(s.n, t, node.name) if rank == 2 else t
    classes = t.shape[axis - 1]
    rows = np.moveaxis(t.places, axis - 1, -1).reshape(-1, classes)
    if axis == 0 or s.n.shape(t.value)[-1] != classes or (rows != rows[:, :1] + np.arange(classes)).any():
        raise Refusal(f"takes the largest along axis {axis} of {(1, *t.shape)}", "take it over the channels")
    op = s.n.builder.argmax(node.name, s.n.comparable(t.value, node.name).op)
    places = np.moveaxis(t.places, axis - 1, -1)[..., 0] // classes
    keeps = node.op == "TopK" or node.attributes.get("keepdims", 1)
    return Tensor(Value(op), np.expand_dims(places, axis - 1) if keeps else places)


SHAPES: dict[str, Handler] = {
    "Identity": identity,
    "Dropout": identity,
    "Cast": cast,
    "Reshape": reshape,
    "Flatten": flatten,
    "Transpose": transpose,
    "Squeeze": squeeze,
    "Unsqueeze": squeeze,
    "Softmax": softmax,
    "LogSoftmax": softmax,
    "ArgMax": argmax,
    "TopK": argmax,
}
MOVES = ("Identity", "Dropout", "Cast", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze")
