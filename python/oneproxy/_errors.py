class Error(Exception):
    """What the caller gave, or the machine, is at fault: one line with the value, its place and the remedy."""


class UndefinedWarning(RuntimeWarning):
    """A value that the data does not define, such as the correlation with a constant: it is NaN."""


class StandInWarning(UserWarning):
    """A model stands in for an accuracy that nobody measured."""


Error.__module__ = StandInWarning.__module__ = UndefinedWarning.__module__ = "oneproxy"  # where users find them
