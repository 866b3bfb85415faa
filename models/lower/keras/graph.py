"""Walks the graph of a Keras model, nested models and pruning wrappers included, once for whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from bitsmith.models.ir import InputError

T = TypeVar("T")
IDENTITIES = {
    *("InputLayer", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianDropout"),
    *("GaussianNoise", "ActivityRegularization"),
}


def is_model(layer: Any) -> bool:
    """Whether a layer is itself a graph of layers."""
    return bool(getattr(layer, "_is_graph_network", False))


def unwrap(layer: Any) -> Any:
    """The layer inside of a pruning wrapper; at inference it is all that counts."""
    return layer.layer if type(layer).__name__ == "PruneLowMagnitude" else layer


def graph_of(model: Any) -> Any:
    """The model with its graph known; InputError if it has none or not exactly one input and output."""
    if not getattr(model, "_is_graph_network", False):
        raise InputError(
            f"model {model.name} has no graph of layers (a subclassed model, or one without input shape); "
            f"build it with the Functional API or give its first layer an input_shape"
        )
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise InputError(
            f"model {model.name} has {len(model.inputs)} inputs and {len(model.outputs)} outputs; "
            f"a net has one of each: take the part that goes into hardware, or concatenate"
        )
    return model


def layers_of(model: Any) -> Iterator[Any]:
    """Every layer once, in the order of the graph, those of nested models in their place."""
    seen: set[int] = set()
    for _, node in _nodes(model):
        layer = unwrap(node.layer)
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        if is_model(layer):
            yield from layers_of(layer)
        else:
            yield layer


def _nodes(model: Any) -> Iterator[tuple[int, Any]]:
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            yield depth, node


def _key(tensor: Any) -> str:
    """A tensor as Keras's nodes name it."""
    return str(id(tensor))


def walk(model: Any, x: T, visit: Callable[[Any, Sequence[T]], T]) -> T:
    """The value of the model's output, if its input is ``x`` and ``visit(layer, inputs)`` computes a layer."""
    values: dict[str, T] = {_key(model.inputs[0]): x}
    for _, node in _nodes(model):
        layer = unwrap(node.layer)
        if node.is_input:
            values[node.flat_output_ids[0]] = visit(layer, [values[node.flat_output_ids[0]]])
            continue
        args = [values[i] for i in node.flat_input_ids]
        values[node.flat_output_ids[0]] = walk(layer, args[0], visit) if is_model(layer) else visit(layer, args)
    return values[_key(model.outputs[0])]


def is_identity(layer: Any) -> bool:
    """Whether a layer does nothing at inference."""
    if type(layer).__name__ == "Activation":
        return getattr(layer.activation, "__name__", "") == "linear"
    return type(layer).__name__ in IDENTITIES


def first_layer(model: Any) -> Any | None:
    """The only layer that reads the input, past layers that do nothing or only reshape; None if there are several."""
    users: dict[str, list[Any]] = {}
    outputs: dict[int, str] = {}
    for _, node in _nodes(model):
        for i in () if node.is_input else node.flat_input_ids:
            users.setdefault(i, []).append(node)
        outputs[id(node)] = node.flat_output_ids[0]
    at = _key(model.inputs[0])
    while len(users.get(at, [])) == 1 and at != _key(model.outputs[0]):
        node = users[at][0]
        layer = unwrap(node.layer)
        if is_model(layer):
            return first_layer(layer)
        if not is_identity(layer) and type(layer).__name__ not in ("Flatten", "Reshape"):
            return layer
        at = outputs[id(node)]
    return None


def last_layer(model: Any) -> Any:
    """The layer that computes the output, past layers that do nothing or only reshape."""
    makers = {node.flat_output_ids[0]: node for _, node in _nodes(model)}
    at = _key(model.outputs[0])
    while True:
        node = makers[at]
        layer = unwrap(node.layer)
        if is_model(layer):
            return last_layer(layer)
        if node.is_input or (not is_identity(layer) and type(layer).__name__ not in ("Flatten", "Reshape")):
            return layer
        at = node.flat_input_ids[0]
