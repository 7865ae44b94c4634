"""The one error of reading and showing results."""


class ResultError(Exception):
    """One line: what is wrong, where, and what to do."""
