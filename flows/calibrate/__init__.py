"""Calibration of the estimator: designs, their real synthesis, the fit, and its error tables."""
