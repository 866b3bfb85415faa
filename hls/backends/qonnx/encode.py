"""QNet -> QONNX: a graph that carries the net's integers in float32 tensors.

``docs/qonnx.md`` describes the form op by op; ``models/lower/exported/net.py`` is its exact
inverse.  The value of op ``foo`` is the tensor ``foo``; all other tensors have a dot in
their name.  Values of more than one axis are channels first, as ONNX has them; the
graph's input and output are channels last, as the QNet has them.
"""

from __future__ import annotations

from typing import Any

from bitsmith.hls.backends.qonnx.encode_ops import WRITERS
from bitsmith.hls.backends.qonnx.encoder import Encoder
from bitsmith.models.ir.ops import QNet

DIALECT = "1"


def encode(net: QNet) -> Any:
    """The ``onnx.ModelProto`` of ``net``, batch 1; ``find_problems(net)`` must be empty.

    ToolError if onnx is not installed.
    """
    encoder = Encoder(net)
    for op in net.ops:
        WRITERS[type(op)](encoder, op)
        encoder.describe(op.name, op.type)
    encoder.result(net.output)
    encoder.writer.metadata({"bitsmith.dialect": DIALECT, "bitsmith.head": net.head})
    return encoder.writer.model()
