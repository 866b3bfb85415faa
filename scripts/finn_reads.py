#!/usr/bin/env python3
"""Runs inside FINN's environment: what FINN's own converter makes of a QONNX file, row by row.

.finn-venv/bin/python scripts/finn_reads.py MODEL.onnx INPUTS.npy OUTPUTS.npy

Prints the kinds of nodes that the converter left as they were.  check_qonnx_export.py calls it.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
from finn.transformation.qonnx.convert_qonnx_to_finn import ConvertQONNXtoFINN
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.util.cleanup import cleanup_model


def main() -> None:
    warnings.simplefilter("ignore")
    model = cleanup_model(ModelWrapper(sys.argv[1])).transform(ConvertQONNXtoFINN())
    source, result = model.graph.input[0].name, model.graph.output[0].name
    rows = [execute_onnx(model, {source: row[np.newaxis]})[result] for row in np.load(sys.argv[2])]
    np.save(sys.argv[3], np.concatenate(rows))
    print(*sorted({n.op_type for n in model.graph.node} & {"Quant", "Clip"}))


if __name__ == "__main__":
    main()
