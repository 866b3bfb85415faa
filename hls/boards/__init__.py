"""Boards and devices as TOML, each number with its source."""
