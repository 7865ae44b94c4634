"""Numbers and names as people read them."""

from __future__ import annotations

import math
from typing import Any, Iterable

LARGE = 1e5  # from here on a value is said in thousands, millions, ...
POWERS = ((1e18, "10^18"), (1e15, "10^15"), (1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
UNKNOWN = "not known"

# Parts of the keys of summary.json, and what they mean.
PARTS = {
    "srcc": "SRCC",
    "srcc_mean": "mean SRCC",
    "srcc_min": "least SRCC",
    "srcc_worst": "least SRCC",
    "srcc_before": "SRCC of the bare proxy",
    "srcc_after": "SRCC after adaptation",
    "srcc_after_mean": "mean SRCC after adaptation",
    "srcc_after_unseen": "SRCC after adaptation, networks that were not measured",
    "srcc_after_q10": "SRCC after adaptation, 10 % quantile of the trials",
    "srcc_after_q90": "SRCC after adaptation, 90 % quantile of the trials",
    "additive_ceiling": "most that an additive predictor reaches (SRCC)",
    "hv_ratio": "hypervolume, share of the target's own front",
    "hv_ratio_mean": "mean hypervolume, share of the targets' own fronts",
    "hypervolume": "hypervolume",
    "hypervolume_reference": "reference point of the hypervolume",
    "recall": "share of the true front that was found",
    "regret": "regret (quality lost)",
    "regret_worst": "worst regret",
    "largest_regret": "largest regret",
    "largest_regret_at": "where the regret is largest",
    "measured": "measurements on the target",
    "front_size": "networks on the front",
    "samples": "measurements",
    "n_architectures": "networks",
    "n_networks": "networks",
    "n_devices": "devices",
    "strong_pairs": "pairs of devices with SRCC of 0.9 or more",
    "strong_share": "share of pairs with SRCC of 0.9 or more",
    "strong_before": "targets with SRCC of 0.9 or more, bare proxy",
    "strong_after": "targets with SRCC of 0.9 or more, after adaptation",
    "strong_targets": "targets that it serves (SRCC of 0.9 or more)",
    "best_proxy": "best single proxy",
    "best_proxy_serves": "targets that the best single proxy serves",
    "proxies": "fewest proxies that serve all",
    "proxies_needed": "number of proxies needed",
    "served_share": "share of pairs that are served",
    "saved_share": "share of the measurements saved",
    "latency_ms": "latency (ms)",
    "latency_ms_deviation": "standard deviation of the latency (ms)",
    "latency_ms_probability": "probability to keep the limit",
    "arch": "architecture",
    "part": "what was searched",
    "part_size": "number of networks in it",
    "certainty": "how sure",
    "evaluated": "networks evaluated",
    "unserved": "devices that no proxy serves",
    "best_proxy_srcc": "SRCC of the best proxy",
    "proxies_exact": "proven to be the fewest proxies",
    "advice": "what to do about the measurements",
    "n_measured": "measured networks",
    "n_failed": "measurements that failed",
    "expected_srcc": "SRCC that is expected",
    "expected_srcc_low": "SRCC that is expected, 10 % quantile",
    "expected_srcc_high": "SRCC that is expected, 90 % quantile",
    "probability": "probability that the SRCC reaches the threshold",
    "threshold": "SRCC that is good enough",
    "stop": "stop measuring",
    "more": "measurements to make still",
    "outliers": "measurements that count for next to nothing",
    "drift_min": "least factor of the drift",
    "drift_max": "largest factor of the drift",
    "drift_divided_out": "the drift was divided out",
    "violations": "share of limits broken",
    "violations_5": "share of limits broken by more than 5 %",
    "expected_error": "error of the expected SRCC",
    "quality_is_stand_in": "quality is a stand-in for accuracy",
    "median_interval_width": "width of the confidence intervals, median",
    "undefined_pairs": "pairs without an SRCC",
}


def number(value: float, digits: int = 4) -> str:
    """So many significant digits; powers of thousand above a hundred thousand; never -0."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if abs(value) >= LARGE:
        for power, name in POWERS:
            if abs(value) >= power:
                return f"{value / power:.{digits}g} {name}".replace("e+0", "e")
        return f"{value:,.0f}"
    if float(value).is_integer():
        return f"{int(value):,}"
    text = f"{value:.{digits}g}"
    return text if "e" not in text else f"{value:.2g}"


def quantity(value: float, unit: str) -> str:
    """With its unit, one of a percentage set apart too."""
    said = number(value)
    return said if said == UNKNOWN or unit in ("", "1") else f"{said} {unit}"


def srcc(value: float) -> str:
    """Two decimals, more where they decide (0.9, 1); never rounded up to 1."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if 0.9995 <= value < 1:
        return f"{min(value, 0.9999):.4f}"
    return f"{value:.3f}" if 0.89 <= value < 0.91 or 0.995 <= value < 1 else f"{value:.2f}"


def share(value: float) -> str:
    """Of a whole, in percent."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    percent = 100 * value
    if 99 < percent < 100:
        return f"{min(percent, 99.99):.{1 if percent < 99.95 else 2}f} %"  # never rounded up to the whole
    return f"{percent:.0f} %" if percent == 0 or percent >= 1 else f"{percent:.2g} %"


def listed(items: Iterable[str], most: int = 6) -> str:
    """a, b and c; beyond so many only how many more."""
    items = list(items)
    if len(items) > most:
        items = [*items[: most - 1], f"{len(items) - most + 1} more"]
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def counted(n: int, one: str, many: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def numbers_of(summary: dict[str, Any], prefix: str) -> list[float]:
    """The numbers of the keys that begin so; what could not be computed has none, but a reason."""
    return [v for key, v in summary.items() if key.startswith(prefix) and isinstance(v, (int, float))]


def plain_key(key: str, of_limits: bool = False) -> str:
    """A key of summary.json in words: `srcc_min.fpga` -> `least SRCC: fpga`; of a search, whose parts are limits,
    `evaluated.25` -> `networks evaluated, limit 25`."""
    head, _, tail = key.partition(".")
    said = PARTS.get(head, head.replace("_", " "))
    if of_limits and tail[:1].isdigit():
        return f"{said}, limit {tail}"
    return f"{said}: {tail}" if tail else said


def plain_value(value: Any) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return number(value, 5)
    return f"{int(value):,}" if isinstance(value, str) and value.isdigit() and len(value) > 4 else str(value)
