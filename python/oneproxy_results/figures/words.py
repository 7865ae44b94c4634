"""How pictures say things: names of spaces and devices, large numbers, and units in powers that people read."""

from __future__ import annotations

import re

import numpy as np

from ..result import Result

SPACES = {
    "nasbench201": "NAS-Bench-201",
    "fbnet": "FBNet",
    "ofa_mbv3": "OFA MobileNetV3",
    "mobilenetv2": "MobileNetV2",
    "proxylessnas": "ProxylessNAS",
    "accel_nasbench": "Accel-NASBench",
}
SETS = {"help": "HELP", "oneproxy": "OneProxy", "eagle": "Eagle", "natsbench": "NATS-Bench", "anb": "Accel-NASBench"}
MODELS = {"model:macs": "MACs", "model:parameters": "parameters", "model:activation_bytes": "activation bytes"}
COUNTED = {"multiply-accumulates": "MACs", "weights": "", "bytes": "B"}  # unit -> what stands behind G, M, k
POWERS = ((1e9, "G"), (1e6, "M"), (1e4, "k"))
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
MANY = 10**9  # from here on a number is written as a power of ten


def space(name: str) -> str:
    return SPACES.get(name, name)


def task(name: str) -> str:
    """A task as a configuration calls it: "new_gpu" is "new gpu"."""
    return SPACES.get(name, name.replace("_", " "))


def place(result: Result) -> str:
    """ "NAS-Bench-201 (HELP)"; a set that is called as its space is not said twice."""
    name, own = (str(result.attributes.get(key, "")) for key in ("space", "set"))
    shown, own = space(name), SETS.get(own, own)
    return f"{shown} ({own})" if own and own != shown else shown


def title(result: Result, what: str, n: int | None = None) -> str:
    """What it is, and below it where: space and set, proxy, number of architectures, as far as the result knows."""
    proxy = result.attributes.get("proxy")
    n = n if n is not None else result.count()
    parts = [place(result), f"proxy {device(result, str(proxy))}" if proxy else "", f"{n:,} architectures" if n else ""]
    where = ", ".join(part for part in parts if part)
    return f"{what}\n{where}" if where else what


def device(result: Result, key: str) -> str:
    """A device, a pseudo-device or a metric as pictures call it; `metric:natsbench:cifar10` is "cifar10"."""
    if key in MODELS:
        return MODELS[key]
    return key.rsplit(":", 1)[-1] if key.startswith("metric:") else result.device_name(key)


def devices(result: Result, name: str) -> list[str]:
    return [device(result, str(key)) for key in result.arrays[name]]


def label(result: Result, text: str, unit: str = "") -> str:
    """What an objective is, with the keys of devices in it replaced: "predicted latency on Pixel 3"."""
    if text in result.device_names and unit == "ms":
        return f"latency on {result.device_names[text]}"
    return spaces(re.sub(r"[\w-]+", lambda found: result.device_names.get(found[0], found[0]), text))


def axis(text: str, unit: str, values: np.ndarray) -> tuple[str, float]:
    """The label of an axis, "MACs (G)", and by what its values are to be multiplied."""
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    if unit == "ms" and largest >= 1e4:
        return f"{text} (s)", 1e-3
    if unit == "ms" and 0 < largest < 0.1:
        return f"{text} (µs)", 1e3
    if unit not in COUNTED:
        return (f"{text} ({unit})" if unit and unit != "1" else text), 1.0
    power, prefix = next(((power, prefix) for power, prefix in POWERS if largest >= power), (1.0, ""))
    counted = prefix + ("" if COUNTED[unit] in text.split() else COUNTED[unit])
    return (f"{text} ({counted})" if counted else text), 1 / power


def numbers(text: str) -> str:
    """Whole numbers in a text as people read them: 15,625 and 9.8 × 10²⁰."""
    return re.sub(r"(?<![\w.])\d{4,}(?![\w.])", lambda found: number(int(found[0])), text)


def number(value: int) -> str:
    if value < MANY:
        return f"{value:,}"
    digits, power = f"{value:.1e}".split("e")
    factor, raised = digits.removesuffix(".0"), "10" + str(int(power)).translate(SUPERSCRIPTS)
    return raised if factor == "1" else f"{factor} × {raised}"


def spaces(text: str) -> str:
    """Keys of spaces in a text replaced by their names."""
    return re.sub(r"[\w-]+", lambda found: space(found[0]), text)
