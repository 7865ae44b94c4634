"""What a finished run left: result (reading) -> figures (pictures for papers). Needs no compiled code."""

from .errors import ResultError
from .result import Result, load

__all__ = ["Result", "ResultError", "load"]
