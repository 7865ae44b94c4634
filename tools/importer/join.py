"""Give the sets of a space that carry no numbering the official index of another set, by choices, never by row."""

from __future__ import annotations

import numpy as np

from .measurements import Say
from .sets import MeasuredSet

AUTHORITIES = ("help", "natsbench")  # the first that is there numbers the others


def join(sets: list[MeasuredSet], say: Say) -> None:
    for space in sorted({s.space for s in sets}):
        _join_space([s for s in sets if s.space == space], say)
    for s in sets:
        if s.sort_rows:
            index = s.official_index
            s.reorder(np.lexsort(s.choices.T[::-1]) if index is None else np.argsort(index, kind="stable"))


def _join_space(sets: list[MeasuredSet], say: Say) -> None:
    named = {s.name: s for s in sets}
    authority = next(
        (named[name] for name in AUTHORITIES if name in named and named[name].official_index is not None), None
    )
    if authority is None:
        return
    index = {tuple(row): int(i) for row, i in zip(authority.choices.tolist(), authority.official_index)}
    for s in sets:
        if s is authority:
            continue
        found = [index.get(tuple(row), -1) for row in s.choices.tolist()]
        unknown = found.count(-1)
        if unknown:
            say(f"{s.label}: {unknown} of {len(found)} cells are not in {authority.label}, no official index stored")
            s.official_index = None
            continue
        joined = np.array(found, dtype=np.int64)
        if s.official_index is not None and not np.array_equal(s.official_index, joined):
            say(f"{s.label}: rows are not in the order of {authority.label}, numbered by it")
        s.official_index = joined
