"""A finished result folder, as the program leaves it: summary.json, arrays.h5, provenance.json and DONE."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .errors import ResultError


@dataclass
class Result:
    folder: Path
    arrays: dict[str, np.ndarray]  # by full name, "fronts/pixel3/proxy/row"; text as object arrays of str
    attributes: dict[str, Any]  # of the root of arrays.h5
    summary: dict[str, Any]
    provenance: dict[str, Any]

    def has(self, *names: str) -> bool:
        return all(name in self.arrays for name in names)

    def names(self, group: str) -> list[str]:
        """Names right below a group, in order of their name."""
        inside = (name[len(group) + 1 :].split("/")[0] for name in self.arrays if name.startswith(group + "/"))
        return sorted(set(inside))

    def title(self, what: str, n: int | None = None) -> str:
        """`what - space / set, proxy ..., n = ...`, each part only where the folder knows it."""
        place = " / ".join(str(self.attributes[key]) for key in ("space", "set") if self.attributes.get(key))
        proxy = self.attributes.get("proxy")
        n = n if n is not None else self._count()
        parts = [part for part in (place, f"proxy {proxy}" if proxy else "", f"n = {n:,}" if n else "") if part]
        return f"{what}\n{', '.join(parts)}" if parts else what

    def footer(self) -> str:
        version, commit = self.provenance.get("version"), self.provenance.get("commit")
        parts = [
            self.folder.resolve().name,
            f"oneproxy {version}" if version else "",
            f"commit {str(commit)[:10]}" if commit else "",
        ]
        return ", ".join(part for part in parts if part)

    def _count(self) -> int | None:
        for where in (self.attributes, self.summary):
            for key in ("n", "architectures", "n_architectures"):
                if isinstance(where.get(key), (int, float, np.integer)):
                    return int(where[key])
        return None


def load(folder: Path) -> Result:
    if not folder.is_dir():
        raise ResultError(f"{folder}: there is no such folder; give the folder that oneproxy run printed last")
    if not (folder / "DONE").exists():
        raise ResultError(f"{folder}: no DONE in it, so no finished result; run its config again with oneproxy run")
    arrays, attributes = _read_arrays(folder / "arrays.h5")
    return Result(
        folder, arrays, attributes, _read_json(folder / "summary.json"), _read_json(folder / "provenance.json")
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: can not be read ({error}); run the config again with --force") from None
    if not isinstance(value, dict):
        raise ResultError(f"{path}: not a JSON object; run the config again with --force")
    return value


def _read_arrays(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    arrays: dict[str, np.ndarray] = {}

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[name] = item.asstr()[...] if h5py.check_string_dtype(item.dtype) else item[...]

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
            attributes = {key: _plain(value) for key, value in file.attrs.items()}
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        raise ResultError(f"{path}: can not be read ({error}); run the config again with --force") from None
    return arrays, attributes


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
