"""From a result to pictures, one module a picture: `applies(result)` and `draw(result) -> {name: figure}`."""

from __future__ import annotations

from matplotlib.figure import Figure

from ..errors import ResultError
from ..result import Result
from . import (
    accuracy_model,
    comparison,
    cost_of_n_devices,
    device_features,
    few_shot,
    front_loop,
    heatmap,
    limits_kept,
    neural_optimizer,
    pareto,
    samples,
    scatter,
    search_front,
    searchers,
    sweep,
)

PICTURES = (
    heatmap,
    pareto,
    search_front,
    samples,
    comparison,
    scatter,
    few_shot,
    sweep,
    searchers,
    device_features,
    neural_optimizer,
    cost_of_n_devices,
    accuracy_model,
    limits_kept,
    front_loop,
)


def draw(result: Result) -> dict[str, Figure]:
    """Every picture that applies, by its name. ResultError where none does or where arrays do not fit together."""
    applicable = [picture for picture in PICTURES if picture.applies(result)]
    if not applicable:
        kind = result.attributes.get("kind", "unknown")
        raise ResultError(
            f"{result.folder}: no picture for a result of kind {kind!r}; there are pictures for monotonicity, "
            "adaproxy, front_transfer, search, train_predictor, few_shot, device_features, proxy_sweep, "
            "neural_optimizer, cost_of_n_devices, accuracy_model, limits_kept, front_loop, searchers and reproduce_nb201"
        )
    try:
        return {name: figure for picture in applicable for name, figure in picture.draw(result).items()}
    except (KeyError, IndexError, ValueError) as error:
        raise ResultError(
            f"{result.folder / 'arrays.h5'}: arrays do not fit together ({type(error).__name__}: {error}); "
            "run the config again with --force"
        ) from None
