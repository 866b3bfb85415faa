"""Scripts that run inside of FINN's own Python environment; they import nothing of Bitsmith."""
