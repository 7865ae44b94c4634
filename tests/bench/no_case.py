"""How a benchmark's script says that the filter names none of its cases."""

from __future__ import annotations

import sys
from typing import NoReturn

STATUS = 3  # as in bench.h; tools/bench passes over such a program


def no_case(filter_text: str, names: list[str]) -> NoReturn:
    print(f"no case matches '{filter_text}'; the cases are {', '.join(names)}", file=sys.stderr)
    sys.exit(STATUS)
