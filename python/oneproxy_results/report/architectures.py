"""The strings of architectures, for boxes, tables and the clipboard."""

from __future__ import annotations

import numpy as np

from ..result import Result


def strings(result: Result, group: str = "", rows: np.ndarray | None = None) -> list[str]:
    """Of a group's architectures, all or some rows: their strings where the result has them, else their choices as
    numbers, which every command takes as well."""
    inside = f"{group}/" if group else ""
    names = result.arrays.get(f"{inside}architecture")
    if names is not None:
        return [str(name) for name in (names if rows is None else names[rows])]
    choices = result.arrays[f"{inside}choices"]
    return [",".join(map(str, row)) for row in (choices if rows is None else choices[rows])]
