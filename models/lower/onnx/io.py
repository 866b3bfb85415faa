"""Reads ONNX and QONNX files, and says what is wrong with one in the user's terms.

Nothing is believed that the file claims: sizes are compared with the bytes that
are there before anything is allocated.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.models.ir import InputError, ToolError

SUFFIXES = (".onnx",)
INSTALL = "pip install 'bitsmith[qonnx]'"
MOST_ELEMENTS = 1 << 27
"""No tensor of a network for an FPGA is larger; a claim beyond it is a damaged or hostile file."""
LARGEST_FILE = 1 << 31
"""Protocol buffers end at 2 GiB."""


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """A checked ``onnx.ModelProto``, all of its weights inside."""

    name: str
    proto: Any


def import_onnx() -> Any:
    """The onnx package; ToolError with the line that installs it."""
    try:
        return importlib.import_module("onnx")
    except ImportError as error:
        raise ToolError(f"onnx is not installed ({error}); {INSTALL}") from error


def import_qonnx(module: str) -> Any:
    """A module of qonnx; ToolError with the line that installs it."""
    try:
        return importlib.import_module(f"qonnx.{module}")
    except ImportError as error:
        raise ToolError(f"qonnx is not installed ({error}); {INSTALL}") from error


def load_model(path: Path) -> OnnxModel:
    """The ONNX or QONNX model in ``path``, its external data read.

    InputError if there is no such file, if it is no ONNX file, truncated or damaged,
    of a version that is too new, cyclic, or without its external data; the message
    names the remedy.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: an ONNX model ends in .onnx, not in {path.suffix or 'no suffix'!r}")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.stat().st_size > LARGEST_FILE:
        raise InputError(f"{path}: larger than the 2 GiB of one ONNX file; save large weights as external data")
    onnx = import_onnx()
    try:
        proto = onnx.load_model(path, load_external_data=False)
    except Exception as error:  # the protobuf runtime has its own error types
        raise InputError(f"{path}: not a readable ONNX file, truncated or damaged ({error}); copy it anew") from error
    if not proto.graph.node:
        raise InputError(f"{path}: holds no graph; it is empty, or no ONNX file: export the model anew")
    check_model(proto, str(path))
    _read_external(proto, path)
    return OnnxModel(path.stem, proto)


def check_model(proto: Any, what: str) -> None:
    """InputError if a model in memory is too new, claims more than it holds, or has no order."""
    _check_versions(proto, what)
    for graph in _graphs(proto.graph):
        _check_tensors(graph, what)
    _check_order(proto.graph, what)


def _check_versions(proto: Any, what: str) -> None:
    onnx = import_onnx()
    newest = onnx.defs.onnx_opset_version()
    for opset in proto.opset_import:
        if opset.domain in ("", "ai.onnx") and opset.version > newest:
            raise InputError(
                f"{what}: opset {opset.version} is newer than opset {newest} of onnx {onnx.__version__}; "
                f"export the model with opset_version={newest} or lower, or install a newer onnx"
            )
    if proto.ir_version > onnx.IR_VERSION:
        raise InputError(
            f"{what}: IR version {proto.ir_version} is newer than {onnx.IR_VERSION} of onnx {onnx.__version__}; "
            f"set model.ir_version = {onnx.IR_VERSION} and save it again, or install a newer onnx"
        )


def _graphs(graph: Any) -> Iterator[Any]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    yield from _graphs(inner)


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _check_tensors(graph: Any, what: str) -> None:
    onnx = import_onnx()
    for tensor in _tensors(graph):
        name = tensor.name or "a constant"
        size = math.prod(tensor.dims)
        if any(d < 0 for d in tensor.dims) or size > MOST_ELEMENTS:
            raise InputError(
                f"{what}: tensor {name} claims the shape {tuple(tensor.dims)}; "
                f"the file is damaged, or the network is far too large for an FPGA"
            )
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            continue
        have = _bytes_of(tensor)
        if have is not None and have != _bytes_claimed(tensor, size):
            raise InputError(
                f"{what}: tensor {name} claims {size:,} elements and holds {have:,} bytes; "
                f"the file is truncated or damaged: copy or export it anew"
            )
    for value in (*graph.input, *graph.output, *graph.value_info):
        dims = [d.dim_value for d in value.type.tensor_type.shape.dim]
        dims[:1] = [max(d, 0) if d == -1 else d for d in dims[:1]]  # as some exporters write a free batch
        if any(d < 0 for d in dims) or math.prod(d or 1 for d in dims) > MOST_ELEMENTS:
            raise InputError(f"{what}: value {value.name} claims the shape {tuple(dims)}; the file is damaged")


def _bytes_of(tensor: Any) -> int | None:
    """Bytes of raw data, or 8 per element of the typed fields; None for strings."""
    if tensor.raw_data:
        return len(tensor.raw_data)
    fields = (tensor.float_data, tensor.int32_data, tensor.int64_data, tensor.double_data, tensor.uint64_data)
    return None if tensor.string_data else 8 * sum(len(f) for f in fields)


def _bytes_claimed(tensor: Any, size: int) -> int:
    if not tensor.raw_data:
        return 8 * size
    onnx = import_onnx()
    try:
        itemsize = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize
    except KeyError as error:
        raise InputError(f"tensor {tensor.name} is of the unknown type {tensor.data_type}; export it anew") from error
    return int(size * itemsize)


def _read_external(proto: Any, path: Path) -> None:
    """Weights that lie in other files, which must lie beside the model and be as long as is claimed."""
    onnx = import_onnx()
    folder = path.resolve().parent
    for graph in _graphs(proto.graph):
        for tensor in _tensors(graph):
            if tensor.data_location != onnx.TensorProto.EXTERNAL:
                continue
            where = {entry.key: entry.value for entry in tensor.external_data}
            file = (folder / where.get("location", "")).resolve()
            if not file.is_relative_to(folder) or not file.is_file():
                raise InputError(
                    f"{path}: the weights of {tensor.name} lie in {where.get('location', 'no file')!r}, which is not "
                    f"there; put that file beside the model, or save the model with its weights inside"
                )
            offset = int(where.get("offset") or 0)
            need = math.prod(tensor.dims) * np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize
            if offset < 0 or file.stat().st_size < offset + need:
                raise InputError(f"{path}: {file.name} is too short for the weights of {tensor.name}; copy it anew")
            with file.open("rb") as data:
                data.seek(offset)
                tensor.raw_data = data.read(need)
            tensor.data_location = onnx.TensorProto.DEFAULT
            del tensor.external_data[:]


def _check_order(graph: Any, what: str) -> None:
    """InputError if the graph has a cycle, defines a value twice, or reads one that nobody defines."""
    makers: dict[str, Any] = {}
    for node in graph.node:
        for out in node.output:
            if out and out in makers:
                raise InputError(f"{what}: value {out!r} is defined twice; the graph is damaged: export it anew")
            makers[out] = node
    known = {i.name for i in graph.initializer} | {i.name for i in graph.input} | {""}
    known |= {i.values.name for i in graph.sparse_initializer}
    unknown = sorted({i for n in graph.node for i in n.input if i not in known and i not in makers})
    unknown += [o.name for o in graph.output if o.name not in known and o.name not in makers]
    if unknown:
        raise InputError(f"{what}: nobody defines the value {unknown[0]!r}; the graph is damaged: export it anew")
    topological(list(graph.node), known, what)


def topological(nodes: list[Any], known: set[str], what: str) -> list[Any]:
    """The nodes in an order in which every value is defined before it is read; InputError on a cycle."""
    ready, waiting, done = [], list(nodes), set(known)
    while waiting:
        later = []
        for node in waiting:
            if all(i in done for i in node.input):
                ready.append(node)
                done.update(node.output)
            else:
                later.append(node)
        if len(later) == len(waiting):
            cycle = ", ".join(n.name or n.op_type for n in later[:4])
            raise InputError(
                f"{what}: the graph has a cycle through {cycle}; a network must be acyclic: export it anew"
            )
        waiting = later
    return ready
