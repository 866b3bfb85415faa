"""FINN: a QNet as a streamlined graph with everything that FINN's dataflow build takes."""
