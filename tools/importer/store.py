"""The sets -> one HDF5 file that HDF5 1.10 reads, the same bytes for the same content, whole or not there at all.

Layout (schema 1): /spaces/<space>/<set>/{choices, official_index, latency_ms/<device>, metrics/<name>} and
/tables/<space>/<name>/{radices, weights, bias}. The file is built in memory and reaches the disk as one write to a temporary file beside the target, which is then renamed.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import h5py
import numpy as np

from . import device_names
from .errors import DataError
from .sets import LookupTable, MeasuredSet

FORMAT, SCHEMA = "oneproxy-store", 1
TABLE_FORMAT = "oneproxy-table"
CREATED_BY = "tools/import_datasets.py"


def is_store(path: Path) -> bool:
    try:
        with h5py.File(path, "r") as file:
            name = file.attrs.get("format", "")
            return (name.decode() if isinstance(name, bytes) else name) == FORMAT
    except (OSError, UnicodeDecodeError, AttributeError):
        return False


def check_target(target: Path, force: bool) -> None:
    """Refuse what `write` could not or should not replace: known before the long work, and again at its end."""
    if target.is_dir():
        raise DataError(target, "is a folder", "give --to the name of a file")
    if target.exists() and not force and not is_store(target):
        raise DataError(
            target, "is there and is no oneproxy store", "choose another name, or give --force to replace it"
        )
    if not os.access(target.parent, os.W_OK):
        raise DataError(target, "its folder is not there or not writable", "give --to a place that is")


def write(sets: list[MeasuredSet], tables: list[LookupTable], target: Path, force: bool) -> int:
    """Write the store and return its size in bytes. What is at `target` and is no store of ours needs `force`."""
    check_target(target, force)
    image = _image(sets, tables)
    _replace(target, image)
    return len(image)


def _replace(target: Path, image: bytes) -> None:
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(image)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        raise DataError(
            target, f"can not be written ({error.strerror})", "check that its folder is there, writable and not full"
        ) from None
    finally:  # also on Ctrl-C and SIGTERM
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _image(sets: list[MeasuredSet], tables: list[LookupTable]) -> bytes:
    with h5py.File("store.h5", "w", driver="core", backing_store=False, libver=("earliest", "v108")) as file:
        _attributes(file, format=FORMAT, schema_version=SCHEMA, created_by=CREATED_BY)
        for s in sorted(sets, key=lambda s: (s.space, s.name)):
            _write_set(file.create_group(f"spaces/{s.space}/{s.name}"), s)
        for table in sorted(tables, key=lambda t: (t.space, t.name)):
            _write_table(file.create_group(f"tables/{table.space}/{table.name}"), table)
        file.flush()
        return file.id.get_file_image()


def _write_set(group: h5py.Group, s: MeasuredSet) -> None:
    _attributes(group, source=s.source, licence=s.licence, description=s.description)
    choices = _dataset(group, "choices", s.choices.astype("u1"))
    _attributes(choices, decisions=s.decisions)
    if s.official_index is not None:
        _dataset(group, "official_index", s.official_index.astype("<i8"))
    for name, latency in sorted(s.latency.items()):
        column = _dataset(group, f"latency_ms/{name}", latency.ms.astype("<f8"))
        _attributes(
            column,
            source=s.source,
            licence=s.licence,
            batch=latency.batch,
            precision=latency.precision,
            unit="ms",
            n_failed=latency.n_failed,
        )
        if long_name := device_names.long_name(name, latency.batch):
            _attributes(column, long_name=long_name)
        if latency.duplicate_of:
            _attributes(column, duplicate_of=latency.duplicate_of)
        if latency.note:
            _attributes(column, note=latency.note)
    for name, metric in sorted(s.metrics.items()):
        column = _dataset(group, f"metrics/{name}", metric.values.astype("<f8"))
        _attributes(column, source=s.source, licence=s.licence, unit=metric.unit, direction=metric.direction)
        if metric.description:
            _attributes(column, description=metric.description)


def _write_table(group: h5py.Group, table: LookupTable) -> None:
    _attributes(
        group,
        format=TABLE_FORMAT,
        space=table.space,
        target=table.target,
        unit=table.unit,
        source=table.source,
        licence=table.licence,
        description=table.description,
        **table.record,
    )
    _dataset(group, "radices", np.array(table.radices, dtype="u1"))
    _dataset(group, "weights", table.weights.astype("<f8"))
    _dataset(group, "bias", table.bias.astype("<f8"))


def _dataset(group: h5py.Group, name: str, values: np.ndarray) -> h5py.Dataset:
    values = np.ascontiguousarray(values)
    dataset = group.create_dataset(
        name, data=values, chunks=values.shape, shuffle=True, compression="gzip", compression_opts=9, track_times=False
    )
    _attributes(dataset, sha256=hashlib.sha256(values.tobytes()).hexdigest())
    return dataset


def _attributes(where: h5py.Group | h5py.Dataset, **values: str | int) -> None:
    """UTF-8 strings of variable length, which h5py gives back as str, and 64-bit integers."""
    for name, value in values.items():
        if isinstance(value, str):
            where.attrs.create(name, value, dtype=h5py.string_dtype("utf-8"))
        else:
            where.attrs.create(name, np.int64(value))
