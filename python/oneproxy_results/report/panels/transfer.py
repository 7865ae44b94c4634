"""Networks found through a proxy: fronts as they are on the target, and whether AdaProxy was worth its measurements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...result import Result
from .. import architectures, chart, html, words
from ..devices import label
from .panel import Panel

STRONG = 0.9
FRONTS = {
    "target": ("the target's own front (every network measured)", chart.GREY, "circle-open"),
    "proxy": ("found with the bare proxy", chart.VERMILION, "square"),
    "adaproxy": ("found with AdaProxy", chart.BLUE, "diamond"),
}
SAME = 5e-5  # of the hypervolume: less is no difference


@dataclass
class Target:
    name: str
    before: float  # SRCC
    after: float
    proxy: float  # hypervolume, as a share of the target's own front's
    adaproxy: float
    lost_proxy: float  # largest regret over the limits
    lost_adaproxy: float
    measured: int  # on the target, with AdaProxy

    @property
    def gain(self) -> float:
        return self.adaproxy - self.proxy


def applies(result: Result) -> bool:
    return any(name.startswith("fronts/") for name in result.arrays) and result.has("choices")


def panel(result: Result) -> Panel:
    targets = _targets(result)
    return Panel(
        _sentences(result, targets), [_answer(result, targets)] if targets else [], [_fronts(result), *_gains(targets)]
    )


def _targets(result: Result) -> list[Target]:
    summary, found = result.summary, []

    def lost(front: str, name: str) -> float:
        return max(words.numbers_of(summary, f"regret.{front}.{name}."), default=float("nan"))

    for name in result.names("fronts"):
        if f"hv_ratio.adaproxy.{name}" not in summary or f"hv_ratio.proxy.{name}" not in summary:
            continue
        numbers = [
            _number(summary.get(f"{key}.{name}"))
            for key in ("srcc_before", "srcc_after", "hv_ratio.proxy", "hv_ratio.adaproxy")
        ]
        measured = int(summary.get(f"measured.adaproxy.{name}") or 0)
        found.append(Target(label(result, name), *numbers, lost("proxy", name), lost("adaproxy", name), measured))
    return found


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _sentences(result: Result, targets: list[Target]) -> list[str]:
    known = [t for t in targets if np.isfinite(t.gain)]
    if not known:
        return []
    said = [verdict(result, known)]
    kept = [key for key in result.summary if key.startswith("largest_regret.")]
    if {"largest_regret.proxy", "largest_regret.adaproxy"} <= set(kept):
        unit = str(result.attributes.get("quality_unit", ""))
        told = [
            f"{words.quantity(result.summary[f'largest_regret.{front}'], unit)} with {name} ({_where(result, front)})"
            for front, name in (("proxy", "the bare proxy"), ("adaproxy", "AdaProxy"))
        ]
        said.append(f"The most that was lost at a latency limit, of all targets: {' and '.join(told)}.")
    better = sum(t.gain > SAME for t in known)
    worse = sum(t.gain < -SAME for t in known)
    said.append(
        f"Per target: AdaProxy finds the better front on {better}, the bare proxy on {worse}, and they are the same on "
        f"{len(known) - better - worse}; AdaProxy takes about {round(float(np.median([t.measured for t in known])))} measurements "
        "on each target."
    )
    if result.summary.get("quality_is_stand_in"):
        said.append(
            f"The quality ({result.summary.get('quality')}) is a stand-in: it compares networks, and is no measured accuracy."
        )
    return said


def verdict(result: Result, targets: list[Target]) -> str:
    """Whether AdaProxy is better than the bare proxy over all targets, and why, as far as these numbers say it."""
    proxy = float(np.mean([t.proxy for t in targets]))
    ours = float(np.mean([t.adaproxy for t in targets]))
    space = result.attributes.get("space", "this space")
    # So many digits that the two numbers differ.
    digits = next((d for d in (1, 2, 3, 4) if f"{100 * proxy:.{d}f}" != f"{100 * ours:.{d}f}"), 4)
    numbers = (
        f"on average its fronts hold {100 * ours:.{digits}f} % of the hypervolume of the targets' own fronts, those of the "
        f"bare proxy {100 * proxy:.{digits}f} %"
    )
    if abs(ours - proxy) < SAME:
        return f"On {space} AdaProxy is as good as the bare proxy: {numbers}."
    if ours > proxy:
        return f"On {space} AdaProxy is better than the bare proxy: {numbers}."
    return f"AdaProxy is worse than the bare proxy here, on {space}, because {reason(targets)}. In numbers: {numbers}."


def reason(targets: list[Target]) -> str:
    """Why the mean gain is below zero: the first of these that the numbers bear out."""
    gains = np.array([t.gain for t in targets])
    strong = np.array([t.before >= STRONG for t in targets])
    if strong.any() and (~strong).any() and gains[strong].sum() < 0 <= gains[~strong].sum():
        worst = min((t for t, s in zip(targets, strong) if s), key=lambda t: t.gain)
        return (
            f"the proxy alone ranks the networks of {strong.sum()} of the {len(targets)} targets well (SRCC of at least {STRONG}), "
            f"and there its predictor, fitted to all measurements of the proxy, does better than one fitted to few of the "
            f"target: AdaProxy loses {_points(-gains[strong].mean())} on average (most on {worst.name}, "
            f"{words.number(-100 * worst.gain, 2)} %), more than the {words.number(100 * gains[~strong].mean(), 2)} % that it gains on "
            f"the {words.counted(int((~strong).sum()), 'other target')}"
        )
    order = np.argsort(gains)
    few = next((k for k in (1, 2) if len(gains) > 2 * k and np.delete(gains, order[:k]).mean() >= 0), 0)
    if few:
        names = words.listed(f"{targets[i].name} ({_points(-gains[i])})" for i in order[:few])
        return f"it loses much on {names}; without {'it' if few == 1 else 'these'} AdaProxy would not be behind"
    lower = [t for t in targets if t.after < t.before]
    if 2 * len(lower) > len(targets):
        return (
            f"on {len(lower)} of {len(targets)} targets the adapted predictor ranks the networks worse than the proxy's own "
            "latencies do"
        )
    mean_before, mean_after = (float(np.nanmean([getattr(t, key) for t in targets])) for key in ("before", "after"))
    losing = int((gains < -SAME).sum())
    return (
        f"a better ranking of all networks (mean SRCC {words.srcc(mean_before)} before, {words.srcc(mean_after)} after) does not "
        f"decide which few are on the front, and on {losing} of {len(targets)} targets it misses more of these"
    )


def _volume(value: float) -> str:
    """Two decimals of a percent: fronts differ in these. Never rounded up to the whole."""
    return f"{min(100 * value, 99.99):.2f} %" if value < 1 else words.share(value)


def _points(value: float) -> str:
    return f"{words.number(100 * value, 2)} % of the hypervolume"


def _where(result: Result, front: str) -> str:
    """`raspi4 at q25` -> `raspi4, limit at its 25 % quantile`."""
    told = str(result.summary.get(f"largest_regret_at.{front}", ""))
    name, _, at = told.partition(" at ")
    quantile = f", limit at its {at[1:]} % quantile" if at.startswith("q") else ""
    return f"{label(result, name)}{quantile}"


def _answer(result: Result, targets: list[Target]) -> html.Raw:
    unit = str(result.attributes.get("quality_unit", ""))
    rows = [
        [
            t.name,
            words.srcc(t.before),
            words.srcc(t.after),
            _volume(t.proxy),
            _volume(t.adaproxy),
            "AdaProxy" if t.gain > SAME else "proxy" if t.gain < -SAME else "the same",
            words.quantity(t.lost_proxy, unit),
            words.quantity(t.lost_adaproxy, unit),
        ]
        for t in targets
    ]
    head = [
        "target",
        "SRCC, proxy",
        "SRCC, AdaProxy",
        "front, proxy",
        "front, AdaProxy",
        "better",
        "lost, proxy",
        "lost, AdaProxy",
    ]
    caption = (
        "Each target device: rank correlation, hypervolume of the front found as a share of the target's own, and the most that is "
        "lost at a latency limit"
    )
    return html.table(head, rows, caption, numeric=(1, 2, 3, 4, 6, 7))


def _gains(targets: list[Target]) -> list[chart.Chart]:
    known = [t for t in targets if np.isfinite(t.gain) and np.isfinite(t.before)]
    if len(known) < 3:
        return []
    return [
        chart.Chart(
            "Where AdaProxy gains and where it loses",
            "Each dot is a target: how well the bare proxy ranks its networks (across), and how much more (above 0) or less "
            "(below 0) of the hypervolume the front found with AdaProxy holds. Right of the dotted line the proxy needs no help.",
            [
                {
                    "x": [t.before for t in known],
                    "y": [100 * t.gain for t in known],
                    "text": [
                        f"{t.name}<br>SRCC {words.srcc(t.before)} before, {words.srcc(t.after)} after<br>hypervolume "
                        f"{100 * t.proxy:.2f} % with the bare proxy, {100 * t.adaproxy:.2f} % with AdaProxy"
                        for t in known
                    ],
                    "hovertemplate": "%{text}<extra></extra>",
                    "mode": "markers",
                    "marker": {"size": 9, "color": [chart.BLUE if t.gain >= 0 else chart.VERMILION for t in known]},
                    "showlegend": False,
                }
            ],
            {
                "xaxis": chart.axis("SRCC of the bare proxy with the target"),
                "yaxis": chart.axis("gain in hypervolume (%)", zeroline=True, zerolinecolor=chart.GREY),
                "shapes": [chart.upright(STRONG)],
            },
            height=400,
        )
    ]


def _fronts(result: Result) -> chart.Chart:
    traces: list[dict[str, Any]] = []
    views: dict[str, list[int]] = {}
    unit = str(result.attributes.get("quality_unit", ""))
    quality = str(result.attributes.get("quality", "quality"))
    for device in result.names("fronts"):
        views[label(result, device)] = []
        for front, (name, colour, symbol) in FRONTS.items():
            group = f"fronts/{device}/{front}"
            if f"{group}/row" not in result.arrays:
                continue
            rows = np.asarray(result.arrays[f"{group}/row"])
            latency, value = (
                np.asarray(result.arrays[f"{group}/{key}"], dtype=float) for key in ("latency_ms", "quality")
            )
            names = architectures.strings(result, "", rows)
            views[label(result, device)].append(len(traces))
            traces.append(
                {
                    "name": name,
                    "x": latency,
                    "y": value,
                    "customdata": names,
                    "text": [
                        chart.box(arch, f"latency: {words.quantity(x, 'ms')}", f"{quality}: {words.quantity(y, unit)}")
                        for arch, x, y in zip(names, latency, value)
                    ],
                    "hovertemplate": f"%{{text}}<extra>{name}</extra>",
                    "mode": "lines+markers",
                    "line": {"color": colour, "width": 1.2, "shape": "hv"},
                    "marker": {"color": colour, "size": 7, "symbol": symbol},
                }
            )
    title = f"{quality} ({unit})" if unit else quality
    ticks = chart.without_outliers([y for trace in traces for y in trace["y"]])
    return chart.Chart(
        "Fronts as measured on the target",
        "What the networks that were found are worth on the target itself. Point at a dot to see its network; click it to copy "
        f"the architecture.{chart.HIDDEN if ticks else ''}",
        traces,
        {"xaxis": chart.axis("latency on the target (ms)"), "yaxis": chart.axis(title, **ticks)},
        height=520,
        views=views,
        view_name="Target:",
    )
