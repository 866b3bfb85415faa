"""Files of the ``qonnx`` backend, taken back integer by integer."""
