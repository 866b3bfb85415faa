"""Prices of our own RTL: what its units are made of, counted from their parameters, weighed per family."""
