"""Runs designs of the set through yosys and nextpnr, one line of JSON each; goes on where it stopped."""

from __future__ import annotations

import gzip
import json
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bitsmith.flows.calibrate.designs import Recipe
from bitsmith.hls.backends.base import read_manifest
from bitsmith.hls.backends.rtl.folded import project as folded_project
from bitsmith.hls.backends.rtl.folded.plan import design_of as folded_design
from bitsmith.hls.backends.rtl.unrolled import project as unrolled_project
from bitsmith.hls.backends.rtl.unrolled.design import design_of as unrolled_design
from bitsmith.hls.config import HwConfig
from bitsmith.hls.placement import place, wrapper
from bitsmith.hls.tools import nextpnr
from bitsmith.hls.tools.cells import Hierarchy, used
from bitsmith.hls.tools.yosys import Mapping, map_design
from bitsmith.models.ir import QNet, content_hash, random_inputs
from bitsmith.models.ir.errors import ToolError

GZIP = b"\x1f\x8b"
"""First bytes of a compressed file."""

VECTORS = 4
"""Rows of the testbench, which nobody runs here."""


def measure(recipe: Recipe, placed: bool) -> dict[str, Any]:
    """What the open tools make of a design: cells of the whole, of each module apart, and with ``placed`` the clock."""
    net, hw = recipe.build()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        write(recipe, net, hw, folder)
        manifest = read_manifest(folder)
        synth = Path(name) / "synth"
        synth.mkdir()
        mapping = _map(folder, manifest, hw, synth)
        row = {
            **recipe.as_json(),
            "net_sha256": content_hash(net),
            "yosys": mapping.version,
            **_counts(manifest, mapping, hw),
        }
        row["seconds_mapped"] = round(time.monotonic() - began, 1)
        if placed and nextpnr.supported(hw.board.device):
            row |= _place(manifest, hw, synth)
    return row


def write(recipe: Recipe, net: QNet, hw: HwConfig, folder: Path) -> None:
    """The project of a recipe."""
    x = random_inputs(net, VECTORS, 1)
    if recipe.backend == "rtl-folded":
        assert recipe.folding is not None, f"{recipe.id} has no folding"
        folded_project.write_project(folded_design(net, hw, recipe.folding), hw, folder, x)
    else:
        unrolled_project.write_project(unrolled_design(net, hw), hw, folder, x)


def _map(folder: Path, manifest: dict[str, Any], hw: HwConfig, synth: Path) -> Mapping:
    files = [folder / name for name in manifest["rtl"]]
    modules = _modules(manifest)
    kept = [path.stem for path in files if path.stem in modules.values()]
    data = [folder / name for name in manifest.get("data", [])]
    device = hw.board.device
    blocks = hw.backend != "rtl-unrolled"
    return map_design(files, manifest["top"], kept, device.family, device.name, blocks, synth, data)


def _modules(manifest: dict[str, Any]) -> dict[str, str]:
    """Stage or op -> module."""
    if "modules" in manifest:
        return dict(manifest["modules"])
    prefix = str(manifest["top"]).removesuffix("_axis")
    return {name.removeprefix(f"{prefix}_"): name for name in (Path(f).stem for f in manifest["rtl"])}


def _counts(manifest: dict[str, Any], mapping: Mapping, hw: HwConfig) -> dict[str, Any]:
    top, family = manifest["top"], hw.board.device.family
    tree = Hierarchy(mapping.hierarchical)
    times = tree.instances(top)
    parts = {
        name: {"count": times[module], **vars(used(tree.flat(module), family))}
        for name, module in _modules(manifest).items()
        if module in times
    }
    flat = Hierarchy(mapping.flat).flat(top)
    return {
        **vars(used(flat, family)),
        "cells": {name: n for name, n in sorted(flat.items()) if not name.startswith("$")},
        "parts": parts,
        "depth": mapping.depth,
        "latency_cycles": manifest["latency_cycles"],
        "ii_cycles": manifest["ii_cycles"],
    }


def _place(manifest: dict[str, Any], hw: HwConfig, synth: Path) -> dict[str, Any]:
    began = time.monotonic()
    cover = wrapper(synth, manifest["top"], hw.board)
    done = place(cover, manifest["top"], hw.board.device, hw.clock_mhz, synth, "design").placement
    return {
        "nextpnr": done.version,
        "target_mhz": hw.clock_mhz,
        "fmax_mhz": min(done.clocks_mhz.values()) if done.clocks_mhz else None,
        "placed": {name: used for name, (used, _) in done.used.items()},
        "added": done.added,
        "seconds_placed": round(time.monotonic() - began, 1),
    }


def rows_of(path: Path) -> list[dict[str, Any]]:
    """All lines of a data file, compressed or not; a last one that was cut off is left out."""
    if not path.is_file():
        return []
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if raw[:2] == GZIP else raw).decode()
    lines = text.splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def grow(path: Path, designs: Iterable[Recipe], placed: bool) -> Iterator[dict[str, Any]]:
    """Adds those of ``designs`` that are not in ``path`` yet, a line each; yields them.

    With ``placed`` they are placed and routed too, where that is possible.  A
    design that a tool fails on leaves a line with the error.
    """
    known = {row["id"] for row in rows_of(path)}
    for recipe in designs:
        if recipe.id in known:
            continue
        try:
            row = measure(recipe, placed)
        except ToolError as error:
            row = {**recipe.as_json(), "error": str(error).splitlines()[0]}
        with path.open("a") as file:
            file.write(json.dumps(row) + "\n")
        yield row
