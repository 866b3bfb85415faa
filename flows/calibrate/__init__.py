"""Fits the cost models to real results, one module per world; ``scripts/calibrate`` calls them."""
