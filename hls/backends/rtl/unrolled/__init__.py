"""Fully parallel pipelines: one result per clock cycle."""
