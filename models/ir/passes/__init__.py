"""Passes: plain functions QNet -> QNet that keep what the net computes.  Run ``verify`` after each."""

from bitsmith.models.ir.passes.align import align_blocks
from bitsmith.models.ir.passes.fuse import fuse_requants
from bitsmith.models.ir.passes.narrow import narrow

__all__ = ["align_blocks", "fuse_requants", "narrow"]
