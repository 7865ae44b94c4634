"""The pictures for papers (figures/), where a result has no chart of its own."""

from __future__ import annotations

import base64
import io
from html import escape

from ... import figures
from ...figures import style
from ...result import Result
from ..html import Raw
from .panel import Panel

DOTS_AN_INCH = 130


def applies(result: Result) -> bool:
    return any(picture.applies(result) for picture in figures.PICTURES)


def panel(result: Result) -> Panel:
    drawn = figures.draw(result)
    found = Panel(charts=[_image(name, figure) for name, figure in drawn.items()])
    for figure in drawn.values():
        style.plt.close(figure)
    return found


def _image(name: str, figure: style.Figure) -> Raw:
    file = io.BytesIO()
    style.write_png(figure, file, DOTS_AN_INCH)
    said = escape(name.replace("_", " "))
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return Raw(
        f'<figure class="chart"><h3>{said}</h3><img src="data:image/png;base64,{data}" alt="{said}; its numbers stand in the '
        'tables below"></figure>'
    )
