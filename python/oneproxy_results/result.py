"""A finished result folder, as the program leaves it: summary.json, arrays.h5, provenance.json and DONE."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from . import tables
from .axis import Axis
from .errors import ResultError
from .needs import need


@dataclass
class Result:
    folder: Path
    arrays: dict[str, np.ndarray]  # by full name, "fronts/pixel3/proxy/row"; text as object arrays of str
    attributes: dict[str, Any]  # of the root of arrays.h5
    summary: dict[str, Any]
    provenance: dict[str, Any]
    described: dict[str, dict[str, Any]] = field(default_factory=dict)  # attributes of each array
    scales: dict[str, tuple[str, ...]] = field(default_factory=dict)  # full names of the arrays that label its axes
    device_names: dict[str, str] = field(default_factory=dict)  # key -> what people call it

    def axes(self, name: str) -> list[Axis]:
        """The axes of an array, with their labels; of a result from before there were labels, numbers."""
        values = self._array(name)
        labelled_by = self.scales.get(name, ())
        if len(labelled_by) != values.ndim:
            return [Axis(f"axis_{i}", np.arange(length)) for i, length in enumerate(values.shape)]
        return [
            Axis(scale.rsplit("/", 1)[-1], self.arrays[scale], self.long_name(scale), self.units(scale))
            for scale in labelled_by
        ]

    def labelled(self, name: str) -> Any:
        """An array with its axes as xarray.DataArray: `result.labelled("srcc").sel(devices="pixel3")`."""
        axes = self.axes(name)
        return need("xarray").DataArray(
            self._array(name),
            dims=[axis.name for axis in axes],
            coords={axis.name: axis.labels for axis in axes},
            name=name.rsplit("/", 1)[-1],
            attrs={"long_name": self.long_name(name), "units": self.units(name)},
        )

    def tables(self) -> dict[str, Any]:
        """pandas.DataFrame by name: "summary" (key, value), and those of report.md by the heading above them."""
        return tables.read(self.folder / "report.md", self.summary)

    def figures(self) -> dict[str, Any]:
        """matplotlib Figures by name, as tools/plot_results.py writes them."""
        need("matplotlib")
        from . import figures  # Matplotlib is slow to import, and only pictures need it

        return figures.draw(self)

    def long_name(self, name: str) -> str:
        return str(self.described.get(name, {}).get("long_name", ""))

    def units(self, name: str) -> str:
        return str(self.described.get(name, {}).get("units", ""))

    def device_name(self, key: str) -> str:
        """What people call a device: "Raspberry Pi 4" of `raspi4`, also where a set or a kind stands before it."""
        if key in self.device_names:
            return self.device_names[key]
        before, _, last = key.rpartition(":")
        return self.device_names[last] if before and last in self.device_names else key

    def _array(self, name: str) -> np.ndarray:
        if name not in self.arrays:
            raise ResultError(f"{self.folder / 'arrays.h5'}: has no array {name}; it has {', '.join(self.arrays)}")
        return self.arrays[name]

    def has(self, *names: str) -> bool:
        return all(name in self.arrays for name in names)

    def names(self, group: str) -> list[str]:
        """Names right below a group, in order of their name."""
        inside = (name[len(group) + 1 :].split("/")[0] for name in self.arrays if name.startswith(group + "/"))
        return sorted(set(inside))

    def footer(self) -> str:
        version, commit = self.provenance.get("version"), self.provenance.get("commit")
        parts = [
            self.folder.resolve().name,
            f"oneproxy {version}" if version else "",
            f"commit {str(commit)[:10]}" if commit else "",
        ]
        return ", ".join(part for part in parts if part)

    def count(self) -> int | None:
        """Architectures that the result is about, where it says so."""
        for where in (self.attributes, self.summary):
            for key in ("n", "architectures", "n_architectures"):
                if isinstance(where.get(key), (int, float, np.integer)):
                    return int(where[key])
        return None


def load(folder: str | os.PathLike[str]) -> Result:
    folder = Path(folder)
    if not folder.is_dir():
        raise ResultError(f"{folder}: there is no such folder; give the folder that oneproxy run printed last")
    if not (folder / "DONE").exists():
        raise ResultError(f"{folder}: no DONE in it, so no finished result; run its config again with oneproxy run")
    content = _read_arrays(folder / "arrays.h5")
    summary, provenance = (_read_json(folder / name) for name in ("summary.json", "provenance.json"))
    return Result(folder=folder, summary=summary, provenance=provenance, **content)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: can not be read ({error}); run the config again with --force") from None
    if not isinstance(value, dict):
        raise ResultError(f"{path}: not a JSON object; run the config again with --force")
    return value


def _read_arrays(path: Path) -> dict[str, Any]:
    """The fields of Result that arrays.h5 holds."""
    arrays: dict[str, np.ndarray] = {}
    described: dict[str, dict[str, Any]] = {}
    scales: dict[str, tuple[str, ...]] = {}

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        arrays[name] = item.asstr()[...] if h5py.check_string_dtype(item.dtype) else item[...]
        described[name] = {key: _plain(item.attrs[key]) for key in ("long_name", "units") if key in item.attrs}
        scales[name] = (
            (name,)
            if item.is_scale
            else tuple(dimension[0].name.lstrip("/") for dimension in item.dims if len(dimension))
        )

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
            attributes = {key: _plain(value) for key, value in file.attrs.items()}
            names = {key: str(_plain(value)) for key, value in file["names"].attrs.items()} if "names" in file else {}
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        raise ResultError(f"{path}: can not be read ({error}); run the config again with --force") from None
    return {
        "arrays": arrays,
        "attributes": attributes,
        "described": described,
        "scales": scales,
        "device_names": names,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if isinstance(value, np.generic):
        value = value.item()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
