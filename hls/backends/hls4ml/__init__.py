"""The hls4ml backend: a QNet as an HLS project, written by hls4ml, emulated with g++."""
