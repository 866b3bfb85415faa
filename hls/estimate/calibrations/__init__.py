"""Fitted coefficients and bounds of the cost models, one JSON file per world, with what each rests on."""
