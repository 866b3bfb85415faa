"""Data sets: where they are found, checked and loaded."""
