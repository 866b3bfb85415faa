"""Keras and QKeras models: reading them, and what each layer does to a value."""
