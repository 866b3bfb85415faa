"""Compression recipes: numpy mathematics and thin framework adapters."""
