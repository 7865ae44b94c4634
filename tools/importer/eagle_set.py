"""Eagle (github.com/zheng-ningxin/brp-nas, examples): a dict a device, cell -> seconds."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from . import nasbench201
from .errors import DataError
from .measurements import Say, column
from .pickled import read_pickle
from .sets import MeasuredSet

SOURCE = "github.com/zheng-ningxin/brp-nas"
SECONDS_TO_MS = 1000.0


def read(folder: Path, files: list[Path], say: Say) -> MeasuredSet:
    """All devices of the folder on the union of their cells; a cell that a device lacks is NaN there."""
    tables = {path.name.removesuffix(".pkl"): (path, _table(path)) for path in sorted(files)}
    cells = sorted(set().union(*(table for _, table in tables.values())))
    if len(cells) != nasbench201.N_CELLS:
        say(f"nasbench201/eagle: {nasbench201.N_CELLS - len(cells)} of {nasbench201.N_CELLS} cells are missing")
    latency = {}
    for device, (path, table) in tables.items():
        values = [table.get(cell) for cell in cells]
        latency[device] = column(path, device, values, len(cells), SOURCE, say, SECONDS_TO_MS)
        latency[device].precision = match[1] if (match := re.search(r"-(fp32|fp16|int8)$", device)) else "unknown"
    return MeasuredSet(
        space="nasbench201",
        name="eagle",
        source=f"{SOURCE} examples",
        licence="Apache-2.0",
        description="Latency of NAS-Bench-201 cells of the Eagle data set, as released with BRP-NAS (NeurIPS'20)",
        choices=np.array(cells, dtype=np.uint8),
        decisions=nasbench201.DECISIONS,
        latency=latency,
        sort_rows=True,
    )


def _table(path: Path) -> dict[tuple[int, ...], float]:
    table = read_pickle(path, SOURCE)
    edges, operations = len(nasbench201.EDGES), len(nasbench201.OPERATIONS)
    if (
        not isinstance(table, dict)
        or not table
        or not all(
            isinstance(cell, tuple) and len(cell) == edges and all(type(i) is int and 0 <= i < operations for i in cell)
            for cell in table
        )
    ):
        raise DataError(path, f"not a dict from {edges} operation numbers to seconds", f"fetch it again from {SOURCE}")
    return table
