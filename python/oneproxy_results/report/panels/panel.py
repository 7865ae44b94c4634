"""What one panel adds to a page."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..chart import Chart
from ..html import Raw


@dataclass
class Panel:
    sentences: list[str] = field(default_factory=list)  # to remember, in plain English, from the result's own numbers
    answer: list[Raw] = field(default_factory=list)
    charts: list[Chart | Raw] = field(default_factory=list)
