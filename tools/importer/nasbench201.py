"""The NAS-Bench-201 cell: its string form -> choices.

Six edges in the order 0-1, 0-2, 1-2, 0-3, 1-3, 2-3 (the order in which the string names them), each with one of
five operations.
"""

from __future__ import annotations

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ("0-1", "0-2", "1-2", "0-3", "1-3", "2-3")
DECISIONS = f"edges {' '.join(EDGES)}; operations {' '.join(OPERATIONS)}"
N_CELLS = len(OPERATIONS) ** len(EDGES)


def choices_of(text: str) -> tuple[int, ...]:
    """`|op~0|+|op~0|op~1|+|op~0|op~1|op~2|` -> six operation numbers. ValueError says what is wrong."""
    nodes = text.strip().split("+")
    if len(nodes) != 3:
        raise ValueError(f"{text!r} is not a NAS-Bench-201 cell of three nodes")
    choices: list[int] = []
    for target, node in enumerate(nodes, start=1):
        parts = node.strip("|").split("|")
        if len(parts) != target:
            raise ValueError(f"node {target} of {text!r} has {len(parts)} edges, not {target}")
        for start, part in enumerate(parts):
            operation, _, origin = part.partition("~")
            if operation not in OPERATIONS or origin != str(start):
                raise ValueError(f"{part!r} in {text!r} is not an edge from node {start}")
            choices.append(OPERATIONS.index(operation))
    return tuple(choices)
