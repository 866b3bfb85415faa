"""ONNX and QONNX graphs: reading, running and lowering them node by node."""
