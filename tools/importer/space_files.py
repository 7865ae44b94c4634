"""A search space as configs/spaces declares it: what its blocks are and where they stand. The file is the only place
where the order of operations is written, so that a table imported here has the choices that the program knows."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "configs" / "spaces"


@dataclass(frozen=True)
class Operation:
    name: str
    kernel: int
    expansion: int  # 0 where the block is not there


@dataclass(frozen=True)
class Block:
    in_channels: int
    channels: int
    stride: int
    side: int  # of its input in pixels, or the divisor of the network's input where the resolution is a decision
    squeeze_excitation: bool


@dataclass(frozen=True)
class Space:
    name: str
    resolutions: tuple[int, ...]  # empty where the resolution is no decision
    operations: tuple[Operation, ...]
    blocks: tuple[Block, ...]

    @property
    def radices(self) -> list[int]:
        return [len(self.resolutions)] * bool(self.resolutions) + [len(self.operations)] * len(self.blocks)


def load(name: str) -> Space:
    """A space of stages; its first geometry."""
    with open(FOLDER / f"{name}.toml", "rb") as stream:
        file = tomllib.load(stream)
    geometry = file["geometry"][0]
    resolutions = tuple(file.get("resolutions", ()))
    channels = geometry["input_channels"]
    side = geometry["input_reduction"] if resolutions else geometry["input_resolution"]
    blocks = []
    for stage in geometry["stage"]:
        stride = stage.get("stride", 1)
        for _ in range(stage["layers"]):
            blocks.append(Block(channels, stage["channels"], stride, side, stage.get("squeeze_excitation", False)))
            channels = stage["channels"]
            side = side * stride if resolutions else side // stride
            stride = 1
    operations = tuple(
        Operation(o["name"], o.get("kernel", 1), o.get("expansion", 1) if o["kind"] == "mbconv" else 0)
        for o in file["operation"]
    )
    return Space(file["name"], resolutions, operations, tuple(blocks))
