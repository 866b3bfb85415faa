"""The QNet as a QONNX graph, for FINN, hls4ml and anyone who reads ONNX."""
