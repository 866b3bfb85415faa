"""Training loops, one file per framework."""
