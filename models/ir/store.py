"""A net on disk: ``net.json`` (readable, stable order) and ``net.npz``; its content hash."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from bitsmith.models.ir.errors import InputError
from bitsmith.models.ir.ops import KINDS, Op, QNet
from bitsmith.models.ir.structure import STRUCTURES, Structure
from bitsmith.models.ir.types import Overflow, QuantType, Rounding
from bitsmith.models.ir.verify import verify

FORMAT = 1
_ENUMS = {"rounding": Rounding, "overflow": Overflow}


def _type_to_json(t: QuantType) -> dict[str, Any]:
    return {"bits": t.bits, "signed": t.signed, "scale": t.scale}


def _type_from_json(value: dict[str, Any]) -> QuantType:
    scale = value["scale"]
    return QuantType(value["bits"], value["signed"], tuple(scale) if isinstance(scale, list) else scale)


def to_json(net: QNet) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The net as plain data, and its arrays by ``op.field``."""
    arrays: dict[str, np.ndarray] = {}
    rows = []
    for op in net.ops:
        row: dict[str, Any] = {"op": op.kind}
        for f in fields(op):
            value = getattr(op, f.name)
            if f.name == "structure":
                if value is not None:  # a net without is written as it was before there were any
                    row[f.name] = _structure_to_json(value, f"{op.name}.{f.name}", arrays)
                continue
            if isinstance(value, np.ndarray):
                arrays[f"{op.name}.{f.name}"] = value
                value = {"array": list(value.shape)}
            elif isinstance(value, QuantType):
                value = _type_to_json(value)
            row[f.name] = value
        rows.append(row)
    return {"format": FORMAT, "name": net.name, "head": net.head, "ops": rows}, arrays


def _structure_to_json(value: Structure, prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    row: dict[str, Any] = {"is": next(name for name, kind in STRUCTURES.items() if type(value) is kind)}
    for f in fields(value):
        part = getattr(value, f.name)
        if isinstance(part, np.ndarray):
            arrays[f"{prefix}.{f.name}"] = part
            part = {"array": list(part.shape)}
        row[f.name] = part
    return row


def _structure_from_json(row: dict[str, Any], prefix: str, arrays: dict[str, np.ndarray]) -> Structure:
    values = {k: arrays[f"{prefix}.{k}"] if isinstance(v, dict) else v for k, v in row.items() if k != "is"}
    kind: Any = STRUCTURES[row["is"]]
    structure: Structure = kind(**values)
    return structure


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def from_json(data: dict[str, Any], arrays: dict[str, np.ndarray]) -> QNet:
    """Inverse of :func:`to_json`, verified."""
    ops: list[Op] = []
    for row in data["ops"]:
        values = dict(row)
        kind = KINDS[values.pop("op")]
        for key, value in values.items():
            if key == "structure":
                values[key] = _structure_from_json(value, f"{row['name']}.{key}", arrays)
            elif isinstance(value, dict) and "array" in value:
                values[key] = arrays[f"{row['name']}.{key}"]
            elif isinstance(value, dict):
                values[key] = _type_from_json(value)
            else:
                values[key] = _ENUMS[key](value) if key in _ENUMS else _tuples(value)
        ops.append(kind(**values))
    return verify(QNet(data["name"], tuple(ops), data["head"]))


def content_hash(net: QNet) -> str:
    """SHA-256 over all that the net computes: ops, types, integers; not the net's own name."""
    data, arrays = to_json(net)
    del data["name"]
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode())
    for key in sorted(arrays):
        digest.update(key.encode())
        digest.update(arrays[key].astype("<i8").tobytes())
    return digest.hexdigest()


def save(net: QNet, folder: Path) -> None:
    """Write ``net.json`` and ``net.npz`` into ``folder``, which is made if needed."""
    data, arrays = to_json(net)
    folder.mkdir(parents=True, exist_ok=True)
    smallest = {k: v.astype(QuantType.for_range(v.min(), v.max()).dtype) if v.size else v for k, v in arrays.items()}
    np.savez_compressed(folder / "net.npz", **smallest)  # type: ignore[arg-type]
    data["sha256"] = content_hash(net)
    (folder / "net.json").write_text(json.dumps(data, indent=1) + "\n")


def load(folder: Path) -> QNet:
    """Read a net written by :func:`save`; InputError if it is not there, damaged or altered."""
    try:
        data = json.loads((folder / "net.json").read_text())
        with np.load(folder / "net.npz", allow_pickle=False) as file:
            arrays = {k: file[k].astype(np.int64) for k in file.files}
        if data["format"] != FORMAT:
            raise InputError(f"{folder} holds format {data['format']}, this version reads {FORMAT}; make it anew")
        net = from_json(data, arrays)
        stored = data["sha256"]
    except FileNotFoundError as error:
        raise InputError(f"no net in {folder}: {error.filename} is missing") from error
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"the net in {folder} cannot be read ({error!r}); write it anew") from error
    if stored != content_hash(net):
        raise InputError(f"the net in {folder} differs from its own hash; net.json and net.npz do not belong together")
    return net
