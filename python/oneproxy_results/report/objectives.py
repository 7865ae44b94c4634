"""The objectives of a search as the result tells them: the goal first, then what may be limited."""

from __future__ import annotations

from dataclasses import dataclass

from ..result import Result
from . import words


@dataclass(frozen=True)
class Objective:
    name: str  # of its array
    label: str
    unit: str
    maximised: bool

    def said(self, value: float) -> str:
        return words.quantity(value, self.unit)

    @property
    def title(self) -> str:
        return f"{self.label} ({self.unit})" if self.unit not in ("", "1") else self.label


def of(result: Result) -> list[Objective]:
    columns = [result.arrays[f"objectives/{part}"] for part in ("name", "label", "unit", "direction")]
    return [
        Objective(str(name), str(label), str(unit), str(direction).startswith("max"))
        for name, label, unit, direction in zip(*columns)
    ]
