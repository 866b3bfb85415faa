"""Writes a trained Brevitas module as QONNX."""

from __future__ import annotations

import importlib
import warnings
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.models.ir.errors import ToolError
from bitsmith.models.train.brevitas_layers import PREFIX
from bitsmith.models.train.torch_framework import INSTALL, framework
from bitsmith.models.zoo.graph import INPUT
from bitsmith.models.zoo.spec import NetSpec

OUTPUT = "logits"
UNSPOKEN = ("export_handler", "act_quant", "dense", "conv", "pointwise", "pool", "flatten", "merge")
QUANT_INPUTS = ("x", "scale", "zero_point", "bits")


def export_qonnx(net: Any, spec: NetSpec, path: Path) -> None:
    """Write ``net`` in evaluation mode: ``input`` (1, *input shape) to ``logits`` (1, classes).

    Weights stay float, each behind the ``Quant`` or ``BipolarQuant`` that makes
    integers of them.  No node fixes the batch: another one may be declared.
    Nodes are called after those of the spec.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Brevitas about what is not installed, of torch about its other exporter
        try:
            importlib.import_module("onnxoptimizer")  # Brevitas needs it and does not say so
            export = importlib.import_module("brevitas.export").export_qonnx
            wrapper = importlib.import_module("qonnx.core.modelwrapper").ModelWrapper
            fold = importlib.import_module("qonnx.transformation.fold_constants").FoldConstants
            shapes = importlib.import_module("qonnx.transformation.infer_shapes").InferShapes
            tidy = importlib.import_module("qonnx.transformation.general").RemoveUnusedTensors
        except ImportError as error:
            raise ToolError(f"a part of the QONNX export is not installed ({error}); {INSTALL}") from error
        row = framework().torch.zeros((1, *spec.input.shape))
        exported = export(net.eval(), args=row, dynamo=False, input_names=[INPUT], output_names=[OUTPUT])
        model = wrapper(exported)
        for step in (shapes(), fold(), shapes()):  # torch computes the sizes of a padding in the graph
            model = model.transform(step)
        _merge_clips(model)
        model = model.transform(tidy())
        _rename(model, net.plan[-1].name)
        model.save(str(path))


def _merge_clips(model: Any) -> None:
    """A clip to 0 .. 1 before two bits, which Brevitas needs, becomes the single unsigned bit that is meant."""
    for clip in [node for node in model.graph.node if node.op_type == "Clip"]:
        (quant,) = model.find_consumers(clip.output[0])
        if not next(a.i for a in quant.attribute if a.name == "signed"):
            bits = f"{clip.output[0]}_bits"
            model.set_initializer(bits, np.array(1.0, np.float32))
            quant.input[0], quant.input[3] = clip.input[0], bits
            model.graph.node.remove(clip)


def _rename(model: Any, last: str) -> None:
    """Nodes after those of the spec, tensors after their nodes: torch and qonnx give long names and random ones."""
    model_nodes = list(model.graph.node)
    names = [_spoken(node.output[0], last) for node in model_nodes]
    left = Counter(names)
    held = {tensor.name for tensor in model.graph.initializer}
    taken: set[str] = set()
    for node, name in zip(model_nodes, names, strict=True):
        left[name] -= 1
        node.name = _untaken(f"{name}_{node.op_type.lower()}" if left[name] else name, taken)  # the last is the layer
        if node.output[0] != OUTPUT:
            model.rename_tensor(node.output[0], f"{node.name}_out")
    for node in model_nodes:
        for index, tensor in enumerate(node.input):
            if tensor in held:
                part = QUANT_INPUTS[index] if node.op_type.endswith("Quant") else str(index)
                model.rename_tensor(tensor, f"{node.name}.{part}")
                held.discard(tensor)


def _untaken(name: str, taken: set[str]) -> str:
    """``name``, or with a number if it is taken; takes it."""
    numbered = (name if number == 1 else f"{name}_{number}" for number in count(1))
    found = next(candidate for candidate in numbered if candidate not in taken)
    taken.add(found)
    return found


def _spoken(tensor: str, last: str) -> str:
    """``/node_hidden/dense/weight_quant/export_handler/Quant_output_0`` is hidden_weight_quant."""
    if tensor == OUTPUT:
        return last
    first, *rest = tensor.strip("/").split("/")[:-1]
    node = INPUT if first == "start" else first.removeprefix(PREFIX)
    return "_".join([node, *(part for part in rest if part not in UNSPOKEN)])
