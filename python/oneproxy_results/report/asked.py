"""What was asked: the question of each kind of result in plain words, and the settings that it was asked with."""

from __future__ import annotations

import tomllib

from ..errors import ResultError
from ..result import Result
from . import html, words

QUESTIONS = {
    "monotonicity": "Which devices rank the networks alike, so that what is best on one is best on the other?",
    "adaproxy": "How well does a predictor made on one device, the proxy, rank the networks of other devices after it "
    "was adapted with few measurements of each?",
    "front_transfer": "How good are the networks that a proxy device finds for other devices, as it is and after "
    "AdaProxy, against those that measuring every network would find?",
    "search": "Which networks are the best within the limits?",
    "searchers": "Which search method finds the best networks with the same number of evaluations?",
    "train_predictor": "How well does a trained network predict what it has not seen?",
    "accuracy_model": "How well does a stand-in for accuracy, learnt on trained networks, rank other networks?",
    "few_shot": "How well are the networks of a new device ranked after a handful of measurements on it?",
    "limits_kept": "Do the answers of searches with adapted predictors keep their limits on the device?",
    "front_loop": "How many measurements does it take to know the best networks of a device?",
    "device_features": "Which description of a device predicts it best?",
    "proxy_sweep": "Which device, or which few, can stand in for a whole fleet?",
    "neural_optimizer": "How good are the networks that a trained optimizer answers with, on devices it has not seen?",
    "cost_of_n_devices": "What does it cost to find networks for many devices, and what does each way lose?",
    "fleet": "For each measured device: which known device can stand in for it, was it measured enough, and which networks "
    "are best on it within a latency limit?",
    "adapt": "How will this device rank all networks, after some of them were measured on it?",
    "reproduce_nb201": "Do we get the numbers that the paper printed?",
}
TITLES = {
    "monotonicity": "Do devices agree?",
    "adaproxy": "Adapting one proxy to many devices",
    "front_transfer": "Networks found through a proxy",
    "search": "The best networks within limits",
    "searchers": "Search methods compared",
    "train_predictor": "A trained predictor",
    "accuracy_model": "A stand-in for accuracy",
    "few_shot": "Adaptation with few measurements",
    "limits_kept": "Are the limits kept?",
    "front_loop": "Measuring in a loop",
    "device_features": "Describing a device",
    "proxy_sweep": "One proxy for a fleet",
    "neural_optimizer": "An optimizer that answers at once",
    "cost_of_n_devices": "The cost of many devices",
    "fleet": "A fleet of measured devices",
    "adapt": "A device, learnt from few measurements",
    "reproduce_nb201": "The paper's numbers, reproduced",
}
# Settings that say what was asked; the others are in config.toml.
SETTINGS = {
    "space": "search space",
    "set": "set of measurements",
    "proxy": "proxy device",
    "targets": "target devices",
    "devices": "devices",
    "quality": "quality",
    "latency": "latency",
    "limits_ms": "limits (ms)",
    "limits": "limits",
    "threshold": "SRCC that is good enough",
    "confidence": "confidence",
    "method": "method",
    "device": "device",
    "sources": "source devices",
    "samples_train": "measurements to fit with, a target",
    "samples_validation": "measurements to choose with, a target",
    "budgets": "budgets",
    "trials": "trials",
    "seed": "seed",
}


def title(result: Result) -> str:
    kind = _kind(result)
    return TITLES.get(kind, kind.replace("_", " "))


def question(result: Result) -> str:
    return QUESTIONS.get(_kind(result), f"A result of kind {_kind(result)}.")


def settings(result: Result) -> html.Raw:
    config = _config(result)
    items: list[tuple[str, html.Cell]] = []
    for key, name in SETTINGS.items():
        value = config.get(key, result.attributes.get(key))
        if value in (None, "", [], 0.0) or isinstance(value, list) and isinstance(value[0], dict):
            continue
        items.append((name, words.listed(map(_said, value), 12) if isinstance(value, list) else _said(value)))
    n = result.attributes.get("n")
    if n is not None:
        items.insert(min(2, len(items)), ("networks with measurements", f"{int(n):,}"))
    return html.pairs(items)


def _said(value: object) -> str:
    return words.number(value) if isinstance(value, float) else str(value)


def _kind(result: Result) -> str:
    return str(result.attributes.get("kind", "unknown"))


def _config(result: Result) -> dict:
    path = result.folder / "config.toml"
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: can not be read ({error}); run the config again with --force") from None
