"""From a result to what its page shows, one module a panel: `applies(result)` and `panel(result) -> Panel`."""

from __future__ import annotations

from ...errors import ResultError
from ...result import Result
from . import (
    adaptation,
    arrays,
    device,
    few_shot,
    fleet,
    front_loop,
    heat_map,
    limits_kept,
    many_devices,
    measured_fleet,
    pictures,
    scatter,
    search,
    searchers,
    transfer,
)
from .panel import Panel

# In the order of the page. A result has what applies; one without any chart gets the pictures for papers, or else its
# arrays as they are.
PANELS = (
    search,
    device,
    measured_fleet,
    transfer,
    adaptation,
    fleet,
    heat_map,
    few_shot,
    searchers,
    limits_kept,
    front_loop,
    scatter,
    many_devices,
)
REST = (pictures, arrays)


def read(result: Result) -> Panel:
    """All that the page shows of a result. ResultError where its arrays do not fit together."""
    whole = Panel()
    try:
        for module in (*PANELS, *REST):
            if module in REST and whole.charts or not module.applies(result):
                continue
            part = module.panel(result)
            whole.sentences += part.sentences
            whole.answer += part.answer
            whole.charts += part.charts
    except (KeyError, IndexError, ValueError) as error:
        raise ResultError(
            f"{result.folder / 'arrays.h5'}: arrays do not fit together ({type(error).__name__}: {error}); "
            "run the config again with --force"
        ) from None
    return whole
