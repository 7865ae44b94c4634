"""OneProxy (github.com/Ren-Research/OneProxy): NAS-Bench-201 cells by their one-hot code, a pickle a device, in ms."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import nasbench201
from .errors import DataError
from .measurements import Say, column, device_files
from .pickled import read_pickle
from .sets import MeasuredSet

SOURCE = "github.com/Ren-Research/OneProxy"
PRECISION = {"eagle_jetson_16": "fp16"}  # the only name that says so; batch sizes are said by none


def read(folder: Path, say: Say) -> MeasuredSet:
    path = folder / "encode.pickle"
    choices = _decode(path, read_pickle(path, SOURCE))
    latency = {}
    for device, file in device_files(folder / "latency_data", ".pickle", SOURCE).items():
        latency[device] = column(file, device, read_pickle(file, SOURCE), len(choices), SOURCE, say)
        latency[device].batch = 0  # trailing numbers are chips and number formats here
        latency[device].precision = PRECISION.get(device, "unknown")
    return MeasuredSet(
        space="nasbench201",
        name="oneproxy",
        source=f"{SOURCE} latency_data",
        licence="MIT",
        description="Latency of NAS-Bench-201 cells as released with OneProxy (SIGMETRICS'22): true_* from nn-Meter, "
        "rice_* from HW-NAS-Bench, eagle_* from Eagle",
        choices=choices,
        decisions=nasbench201.DECISIONS,
        latency=latency,
    )


def _decode(path: Path, codes: object) -> np.ndarray:
    """31 numbers a cell: six times one-hot over five operations, and a 1."""
    edges, operations = len(nasbench201.EDGES), len(nasbench201.OPERATIONS)
    again = f"fetch it again from {SOURCE}"
    try:
        table = np.array(codes, dtype=np.float64)
    except (TypeError, ValueError):
        table = np.empty(0)
    if table.ndim != 2 or table.shape[0] == 0 or table.shape[1] != edges * operations + 1:
        raise DataError(path, f"not a list of {edges * operations + 1} numbers a cell", again)
    one_hot = table[:, :-1].reshape(-1, edges, operations)
    if not (np.isin(one_hot, (0, 1)).all() and (one_hot.sum(axis=2) == 1).all() and (table[:, -1] == 1).all()):
        raise DataError(path, "a cell is not six one-hot codes and a trailing 1", again)
    choices = one_hot.argmax(axis=2).astype(np.uint8)
    if len(np.unique(choices, axis=0)) != len(choices):
        raise DataError(path, "a cell occurs twice", again)
    return choices
