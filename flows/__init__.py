"""Who does what, in which order."""
