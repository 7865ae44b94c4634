"""What a finished run left: result (reading) -> figures (pictures for papers). Needs no compiled code."""

from .axis import Axis
from .errors import ResultError
from .result import Result, load

__all__ = ["Axis", "Result", "ResultError", "load"]
