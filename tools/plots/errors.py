"""The one error of the plotting tool."""


class PlotError(Exception):
    """One line: what is wrong, where, and what to do."""
