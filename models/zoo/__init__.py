"""Named tasks and framework-neutral architectures."""
