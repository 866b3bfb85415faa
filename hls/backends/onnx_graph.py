"""Writes ONNX graphs the way qonnx and FINN read them: float tensors that carry integers, with named number types.

A thin layer over ``onnx.helper``: every tensor gets its shape, constants are float32
unless told otherwise, and the number types are stored as qonnx's ``ModelWrapper`` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir.errors import ToolError

OPSET = 13
IR_VERSION = 8
QONNX_DOMAIN = "qonnx.custom_op.general"
"""Domain of Quant, BipolarQuant and MultiThreshold."""
DATATYPE_KEY = "finn_datatype"
"""Annotation key under which qonnx keeps a tensor's number type."""
SCALE_KEY = "SCALE_TENSOR"
"""ONNX's own annotation key for the tensor that holds a quantized tensor's scale."""
LAYOUT_KEY = "tensor_layout"
"""Annotation key under which qonnx keeps the meaning of a tensor's axes."""
INSTALL = "pip install onnx==1.21.0 qonnx==1.0.0"

Shape = Sequence[int]


class GraphWriter:
    """Collects nodes in topological order; :meth:`model` is the finished ``ModelProto``.

    Shapes include the batch.  ToolError if onnx is not installed.
    """

    def __init__(self, name: str) -> None:
        try:
            import onnx
        except ImportError as error:
            raise ToolError(f"onnx is not installed: {INSTALL}") from error
        self._onnx = onnx
        self.name = name
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._values: dict[str, Any] = {}
        self._annotations: dict[str, dict[str, str]] = {}
        self._metadata: dict[str, str] = {}

    def input(self, name: str, shape: Shape) -> str:
        """A float32 input of the graph."""
        self._inputs.append(self._info(name, shape))
        return name

    def output(self, name: str, shape: Shape) -> str:
        """Make the tensor ``name`` a float32 output of the graph."""
        self._values.pop(name, None)  # a tensor has one value info only
        self._outputs.append(self._info(name, shape))
        return name

    def constant(self, name: str, values: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """An initializer; ValueError if ``dtype`` cannot hold ``values`` exactly."""
        wanted = np.asarray(values)
        array = wanted.astype(dtype)
        if (array.astype(wanted.dtype) != wanted).any():
            raise ValueError(f"constant {name}: {np.dtype(dtype)} does not hold its values exactly")
        assert name not in self._constants, name
        self._constants[name] = self._onnx.numpy_helper.from_array(array, name)
        return name

    def node(
        self,
        op_type: str,
        inputs: Sequence[str],
        output: str | Sequence[str],
        shape: Shape,
        domain: str = "",
        dtype: npt.DTypeLike = np.float32,
        **attributes: Any,
    ) -> str:
        """Add a node and the shape of its (last) output; returns that output's name."""
        outputs = [output] if isinstance(output, str) else list(output)
        name = f"{outputs[-1]}.{op_type}"
        self._nodes.append(
            self._onnx.helper.make_node(op_type, list(inputs), outputs, name, domain=domain, **attributes)
        )
        self.value(outputs[-1], shape, dtype)
        return outputs[-1]

    def value(self, name: str, shape: Shape, dtype: npt.DTypeLike = np.float32) -> None:
        """State the shape and the element type of an inner tensor."""
        self._values[name] = self._info(name, shape, dtype)

    def annotate(self, tensor: str, datatype: str) -> None:
        """State the number type of a tensor in qonnx's words: ``INT5``, ``UINT4``, ``BIPOLAR``."""
        self._annotations.setdefault(tensor, {})[DATATYPE_KEY] = datatype

    def annotate_scale(self, tensor: str, scale: float | tuple[float, ...]) -> None:
        """Say what one step of the integers in ``tensor`` stands for: exactly, as float64; () or (channels,)."""
        name = self.constant(f"{tensor}.scale", np.asarray(scale, np.float64), np.float64)
        self._annotations.setdefault(tensor, {})[SCALE_KEY] = name

    def annotate_layout(self, tensor: str, axes: str) -> None:
        """Name the axes of a tensor: ``NHWC``, ``NCW``, ``NC``."""
        self._annotations.setdefault(tensor, {})[LAYOUT_KEY] = str(list(axes))

    def metadata(self, values: Mapping[str, str]) -> None:
        """Add properties of the model."""
        self._metadata.update(values)

    def element(self, dtype: npt.DTypeLike) -> int:
        """ONNX's number of an element type, as Cast takes it."""
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def model(self) -> Any:
        """The ``onnx.ModelProto``, as qonnx expects it."""
        helper = self._onnx.helper
        graph = helper.make_graph(
            self._nodes,
            self.name,
            self._inputs,
            self._outputs,
            list(self._constants.values()),
            value_info=list(self._values.values()),
        )
        for tensor, entries in self._annotations.items():
            graph.quantization_annotation.append(self._annotation(tensor, entries))
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(QONNX_DOMAIN, 1)]
        model = helper.make_model(graph, producer_name="bitsmith", opset_imports=opsets, ir_version=IR_VERSION)
        helper.set_model_props(model, self._metadata)
        return model

    def save(self, path: Path) -> None:
        """Write :meth:`model` to ``path``, the same bytes for the same graph."""
        path.write_bytes(self.model().SerializeToString(deterministic=True))

    def _info(self, name: str, shape: Shape, dtype: npt.DTypeLike = np.float32) -> Any:
        return self._onnx.helper.make_tensor_value_info(name, self.element(dtype), list(shape))

    def _annotation(self, tensor: str, entries: Mapping[str, str]) -> Any:
        annotation = self._onnx.TensorAnnotation(tensor_name=tensor)
        for key, value in sorted(entries.items()):
            annotation.quant_parameter_tensor_names.append(self._onnx.StringStringEntryProto(key=key, value=value))
        return annotation
