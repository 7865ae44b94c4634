"""The one error of reading and showing results."""

try:
    from oneproxy._errors import Error  # where the package is, `except oneproxy.Error` catches this too
except ImportError:
    Error = Exception  # type: ignore[assignment, misc]


class ResultError(Error):
    """One line: what is wrong, where, and what to do."""
