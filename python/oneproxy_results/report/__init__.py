"""One self-contained page of one or several results, to show to others: result -> panels -> page."""

from .page import page, take_away, write

__all__ = ["page", "take_away", "write"]
