"""Networks of your own as predictors: trained anywhere, as stacks of linear layers and ReLU on a space's one-hot code."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oneproxy import _engine
from oneproxy._arrays import array_of
from oneproxy._errors import Error
from oneproxy.space import Architectures, Space, space_of

_PASSED_OVER = ("Identity", "Dropout")  # they change nothing once a network is trained


class Mlp:
    """A trained multilayer perceptron on the one-hot code of a space (Space.encode): value = offset + scale * network,
    or exp of that where it was trained on logarithms.

    Made by from_torch, from_onnx, from_arrays or load. What these take alike: layout, what the inputs of the first layer
    are: "onehot", one a choice, decision after decision, as Space.encode has them, or "ofa", those of Once-for-All's
    accuracy predictor; target and unit: what it predicts, for people ("latency on my phone", "ms"); log, offset, scale:
    as above, for a network that was trained on standardised values or their logarithm; source, licence: where it comes
    from. The result holds the bits that `oneproxy import --predictor` writes of the same network.
    """

    def __init__(self, space: Space, engine: _engine.Mlp) -> None:
        self._space, self._engine = space, engine

    @classmethod
    def from_torch(
        cls,
        module: Any,
        space: Space | str,
        *,
        layout: str = "onehot",
        target: str = "unknown",
        unit: str = "unknown",
        log: bool = False,
        offset: float = 0.0,
        scale: float = 1.0,
        source: str | None = None,
        licence: str = "unknown",
    ) -> Mlp:
        """From PyTorch: an nn.Sequential of Linear and ReLU, a state_dict of such, or the path of one (*.pth).

        A state_dict has only the linear layers; ReLU is taken to stand between them. PyTorch itself is not needed.
        """
        own = space_of(space)
        if isinstance(module, (str, os.PathLike)):
            path = os.fspath(module)
            about = _about(layout, target, unit, log, offset, scale, _file_name(path) if source is None else source,
                           licence)
            return cls(own, _engine.mlp_from_file(own._engine, path, about))
        about = _about(layout, target, unit, log, offset, scale, source or "PyTorch", licence)
        named = module.items() if isinstance(module, Mapping) else _linear_tensors(module)
        tensors = [(str(name), _tensor(values, f"module: {name}")) for name, values in named]
        return cls(own, _engine.mlp_from_tensors(own._engine, tensors, about, "module"))

    @classmethod
    def from_onnx(
        cls,
        path: str | os.PathLike[str],
        space: Space | str,
        *,
        layout: str = "onehot",
        target: str = "unknown",
        unit: str = "unknown",
        log: bool = False,
        offset: float = 0.0,
        scale: float = 1.0,
        source: str | None = None,
        licence: str = "unknown",
    ) -> Mlp:
        """From an ONNX file (*.onnx): Gemm, or MatMul and Add, with Relu between. The package onnx is not needed."""
        own, file = space_of(space), os.fspath(path)
        if not file.endswith(".onnx"):
            raise Error(f"path = {file}: should end in .onnx; from_torch reads *.pth")
        about = _about(layout, target, unit, log, offset, scale, _file_name(file) if source is None else source, licence)
        return cls(own, _engine.mlp_from_file(own._engine, file, about))

    @classmethod
    def from_arrays(
        cls,
        weights: Sequence[ArrayLike],
        biases: Sequence[ArrayLike],
        space: Space | str,
        *,
        layout: str = "onehot",
        target: str = "unknown",
        unit: str = "unknown",
        log: bool = False,
        offset: float = 0.0,
        scale: float = 1.0,
        source: str = "arrays",
        licence: str = "unknown",
    ) -> Mlp:
        """From its numbers: weights[l] [outputs, inputs] and biases[l] [outputs] of each layer, ReLU between them."""
        own = space_of(space)
        if len(weights) != len(biases):
            raise Error(f"biases: has {len(biases)} layers and weights has {len(weights)}; give one for each")
        about = _about(layout, target, unit, log, offset, scale, source, licence)
        tensors = []
        for i, (weight, bias) in enumerate(zip(weights, biases)):
            for name, part, values, axes in (("weights", "weight", weight, 2), ("biases", "bias", bias, 1)):
                array = _tensor(values, f"{name}[{i}]")
                if array.ndim != axes:
                    raise Error(f"{name}[{i}]: has shape {array.shape}; should be "
                                + ("[outputs, inputs]" if axes == 2 else "[outputs]"))
                tensors.append((f"{i}.{part}", array))
            outputs, values = tensors[-2][1].shape[0], tensors[-1][1].shape[0]
            if outputs != values:
                raise Error(f"biases[{i}]: has {values} values; weights[{i}] has {outputs} outputs")
        return cls(own, _engine.mlp_from_tensors(own._engine, tensors, about, "weights"))

    @classmethod
    def load(cls, path: str | os.PathLike[str], space: Space | str | None = None) -> Mlp:
        """From a predictor's file (*.h5), of save(), `oneproxy train` or `oneproxy export`. space: that it belongs to,
        where it is none that ships."""
        file = os.fspath(path)
        engine = _engine.load_mlp(file)
        own = space_of(engine.space if space is None else space)
        _engine.check_mlp(engine, own._engine, file)
        return cls(own, engine)

    @property
    def space(self) -> Space:
        return self._space

    @property
    def target(self) -> str:
        """What it predicts, for people."""
        return self._engine.target

    @property
    def unit(self) -> str:
        """Of its values."""
        return self._engine.unit

    @property
    def widths(self) -> list[int]:
        """Outputs of its layers, the last is 1. A single linear layer is held as two of widths 2 and 1."""
        return self._engine.widths

    def predict(self, archs: Architectures) -> NDArray[np.float64]:
        """Values of architectures, [n], in `unit`, by definition in float64. A Scorer is faster, for very many."""
        return self._engine.predict(self._space.choices(archs))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Into a file (*.h5) that is taken wherever predictors are: "predictor:FILE.h5"."""
        file = os.fspath(path)
        if not file.endswith(".h5"):
            raise Error(f"path = {file}: give it the ending .h5, by which a file is told from a name in a store")
        self._engine.save(file)

    def __repr__(self) -> str:
        widths = "-".join(str(width) for width in self.widths)
        return f"<oneproxy.Mlp of {self._space.name}: {self.target} ({self.unit}), {widths}>"


def _about(
    layout: str, target: str, unit: str, log: bool, offset: float, scale: float, source: str, licence: str
) -> _engine.AboutMlp:
    for name, text in (("layout", layout), ("target", target), ("unit", unit), ("source", source),
                       ("licence", licence)):
        if not isinstance(text, str):
            raise Error(f"{name} = {text!r}: should be a text")
    for name, number in (("offset", offset), ("scale", scale)):
        if not isinstance(number, (int, float, np.number)) or not math.isfinite(number):
            raise Error(f"{name} = {number!r}: should be a number")
    return _engine.AboutMlp(layout, target, unit, source, licence, bool(log), float(offset), float(scale))


def _file_name(path: str) -> str:
    return os.path.basename(path)


def _linear_tensors(module: Any) -> list[tuple[str, Any]]:
    """Of an nn.Sequential, by the names of its classes; ReLU stands between two linear layers and nowhere else."""
    tensors: list[tuple[str, Any]] = []
    before = ""  # the last layer that counts
    for name, layer in _layers(module, ""):
        kind = type(layer).__name__
        if kind in _PASSED_OVER:
            continue
        if kind not in ("Linear", "ReLU"):
            raise Error(f"module: layer '{name}' is a {kind}; an nn.Sequential of Linear and ReLU is taken")
        if kind == before:
            between = "two layers without a ReLU between them; multiply them into one" if kind == "Linear" else "two ReLU"
            raise Error(f"module: layer '{name}' makes {between}")
        if kind == "ReLU" and not before:
            raise Error(f"module: layer '{name}' is a ReLU before the first Linear; it belongs between two")
        if kind == "Linear":
            tensors.append((f"{name}.weight", layer.weight))
            if layer.bias is not None:
                tensors.append((f"{name}.bias", layer.bias))
        before = kind
    if before == "ReLU":
        raise Error("module: ends in a ReLU; the last layer of a predictor is Linear")
    if not tensors:
        raise Error("module: holds no Linear layer")
    return tensors


def _layers(module: Any, name: str) -> list[tuple[str, Any]]:
    kind = type(module).__name__
    if kind == "Sequential":
        return [one for key, part in module._modules.items() for one in _layers(part, f"{name}.{key}" if name else key)]
    if not name and kind not in ("Linear", "ReLU", *_PASSED_OVER):
        raise Error(f"module: is a {kind}, whose order of layers nobody can see; give an nn.Sequential of Linear and "
                    "ReLU, or its state_dict() where ReLU stands between all Linear layers")
    return [(name or "0", module)]


def _tensor(values: Any, name: str) -> NDArray[np.float64]:
    """Numbers of PyTorch, or what NumPy reads, as float64: exact for float, half and bfloat16."""
    if hasattr(values, "detach"):
        try:
            values = values.detach().cpu().double().numpy()
        except (RuntimeError, TypeError) as error:  # on no device ("meta"), sparse: PyTorch's words are many lines
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise Error(f"{name}: PyTorch gives no numbers of it ({said[0]:.100}); load the network's weights first") from None
    array = array_of(values, name)
    if array.dtype.kind not in "fiu":
        raise Error(f"{name}: has dtype {array.dtype}; give real numbers")
    return np.require(array, np.float64, "C")
