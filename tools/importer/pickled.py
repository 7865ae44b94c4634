"""Read pickles of plain data without running anything that is in them.

A pickle may name any function of any installed module and have it called. Here the few names that lists,
dicts and NumPy scalars need are answered by stand-ins of our own; every other name is refused. torch.save's
zip archive holds such a pickle, so plain lists need no PyTorch. HELP, OneProxy and Eagle use both forms.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from .errors import DataError

LARGEST = 256 << 20  # bytes of one pickle; the largest published one has 2 MB


class _Dtype:
    """Stands in for numpy.dtype: one number, by kind and size."""

    def __init__(self, name: str, *_: object) -> None:
        self.name, self.order = name, "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]

    def numpy(self) -> np.dtype:
        if not isinstance(self.name, str) or self.name[:1] not in ("f", "i", "u", "b"):
            raise pickle.UnpicklingError(f"a NumPy value of kind {self.name!r}")
        return np.dtype(self.name).newbyteorder("<" if self.order == "|" else self.order)


def _scalar(dtype: _Dtype, raw: bytes) -> float | int | bool:
    """Stands in for numpy's scalar constructor and gives the Python number."""
    kind = dtype.numpy()
    if len(raw) != kind.itemsize:
        raise pickle.UnpicklingError("a NumPy number of the wrong size")
    return np.frombuffer(raw, kind)[0].item()


def _encode(text: str, codec: str) -> bytes:
    """Stands in for _codecs.encode, by which protocol 2 writes bytes."""
    if codec != "latin1":
        raise pickle.UnpicklingError(f"text in {codec!r}")
    return text.encode("latin1")


class _Reader(pickle.Unpickler):
    ALLOWED = {
        ("numpy", "dtype"): _Dtype,
        ("numpy.core.multiarray", "scalar"): _scalar,
        ("numpy._core.multiarray", "scalar"): _scalar,
        ("_codecs", "encode"): _encode,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self.ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it wants {module}.{name}, which plain data does not need") from None

    def persistent_load(self, pid: object) -> Any:
        raise pickle.UnpicklingError("it holds a tensor, not a plain list")


def _unpickle(path: Path, raw: bytes, source: str) -> Any:
    again = f"fetch it again from {source}"
    stream = io.BytesIO(raw)
    try:
        value = _Reader(stream).load()
    except pickle.UnpicklingError as error:
        raise DataError(path, f"refused or truncated pickle ({error})", again) from None
    except Exception as error:  # a damaged pickle may fail in any way at all
        raise DataError(path, f"truncated, or not a pickle ({type(error).__name__}: {error})", again) from None
    if stream.read(1):
        raise DataError(path, "bytes follow the pickle", again)
    return value


def _read(path: Path, source: str) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(path, f"larger than {LARGEST >> 20} MiB", "is it the right file?")
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            path, f"can not be read ({error.strerror})", f"check it, or fetch it again from {source}"
        ) from None


def read_pickle(path: Path, source: str) -> Any:
    """The value of a plain pickle file. `source` names where the file can be had again."""
    return _unpickle(path, _read(path, source), source)


def read_torch(path: Path, source: str) -> Any:
    """The value that torch.save put into a zip archive."""
    again = f"fetch it again from {source}"
    try:
        with zipfile.ZipFile(io.BytesIO(_read(path, source))) as archive:
            inside = [entry for entry in archive.infolist() if entry.filename.endswith("data.pkl")]
            if len(inside) != 1:
                raise DataError(path, "a zip archive, but not one of torch.save (no data.pkl)", again)
            if inside[0].file_size > LARGEST:
                raise DataError(path, f"unpacks to more than {LARGEST >> 20} MiB", "is it the right file?")
            raw = archive.read(inside[0])
    except DataError:
        raise
    except Exception as error:  # BadZipFile, zlib.error, EOFError, NotImplementedError ...
        raise DataError(path, f"truncated, or not a zip archive of torch.save ({error})", again) from None
    return _unpickle(path, raw, source)
