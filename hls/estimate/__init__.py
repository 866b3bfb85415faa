"""Cost before synthesis."""
