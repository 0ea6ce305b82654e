"""What is measured of scores against labels: AUC, balanced accuracy, F1, calibration, each with a 95 % interval.

Intervals are percentile bootstraps over passages: claims of one passage share its difficulty.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

RESAMPLES = 500
SEED = 20_261_125
BINS = 10
Interval = tuple[float, float]
Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def auc(scores: Floats, supported: Truths) -> float:
    """Area under the ROC curve: the chance that a supported claim scores above one that is not. NaN for one class."""
    good, bad = int(supported.sum()), int((~supported).sum())
    if not good or not bad:
        return float("nan")
    return float((rankdata(scores)[supported].sum() - good * (good + 1) / 2) / (good * bad))


def share_of(chosen: Truths) -> float:
    """The share of true ones; NaN of none."""
    return float(chosen.mean()) if chosen.size else float("nan")


def balanced_accuracy(said: Truths, supported: Truths) -> float:
    """Mean of the shares of both classes that are told right."""
    if supported.all() or not supported.any():
        return float("nan")
    return float((said[supported].mean() + (~said)[~supported].mean()) / 2)


def f1(flagged: Truths, wanted: Truths) -> float:
    """F1 of what was flagged against what should be; 0 where nothing was flagged rightly."""
    right = int((flagged & wanted).sum())
    return 2 * right / (int(flagged.sum()) + int(wanted.sum())) if right else 0.0


def calibration_error(scores: Floats, supported: Truths, bins: int = BINS) -> float:
    """Expected calibration error over bins of equal width (Naeini and others, 2015)."""
    place = np.minimum((scores * bins).astype(int), bins - 1)
    return float(
        sum(abs(scores[place == b].mean() - supported[place == b].mean()) * (place == b).mean() for b in set(place))
    )


def with_interval(measure: Callable[[NDArray[np.int64]], float], clusters: Sequence[object]) -> Figure:
    """The measure over all rows, and its interval over resampled clusters; `measure` takes the rows' places."""
    order: dict[object, list[int]] = {}
    for place, cluster in enumerate(clusters):
        order.setdefault(cluster, []).append(place)
    places = [np.array(rows) for rows in order.values()]
    rng = np.random.default_rng(SEED)
    drawn = []
    for _ in range(RESAMPLES):
        some = rng.integers(0, len(places), len(places))
        drawn.append(measure(np.concatenate([places[one] for one in some])))
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Figure(measure(np.arange(len(clusters))), float(low), float(high))


def threshold_for(scores: Floats, supported: Truths, most: float) -> float:
    """The least threshold at which at most `most` of the claims that are not supported pass."""
    bad = np.sort(scores[~supported])[::-1]
    allowed = int(np.floor(most * len(bad)))
    return float(np.nextafter(bad[allowed], 1.0)) if allowed < len(bad) else 0.0
