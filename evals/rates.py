"""Rates with honest intervals: a clustered bootstrap, a correction for the judge's errors, and what zero means."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.stats import wilson

RESAMPLES = 4000
SEED = 20_261_125
MIN_UNSUPPORTED = 30
FEW = 5
MIN_POWER = 1e-9
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Weighed:
    """One distinct unit: whether it is bad (None: unjudged), how often it was shown, and the cluster it belongs to."""

    bad: bool | None
    shown: int
    cluster: str


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate from 0 to 1 over shown units, with its 95 % interval; None where nothing was judged.

    `judged`, `unjudged` and `bad` count distinct units, `shown` how often the judged ones were shown.
    """

    rate: float | None
    interval: Interval | None
    judged: int
    unjudged: int
    bad: int
    shown: int
    clusters: int

    @property
    def rule_of_three(self) -> float | None:
        """Upper 95 % bound where none of n independent units was bad (Hanley and Lippman-Hand, 1983): 3 / n."""
        return min(1.0, 3 / self.judged) if self.judged and self.bad == 0 else None


def needed_for(limit: float) -> int:
    """Distinct units, none of them bad, that a claim of "under `limit`" needs at 95 % (rule of three)."""
    if not 0 < limit < 1:
        raise ValueError("limit must lie between 0 and 1")
    return int(np.ceil(round(3 / limit, 9)))


def _by_cluster(units: Sequence[Weighed]) -> NDArray[np.float64]:
    """Shape (clusters, 2): the shown bad units and all shown units of each cluster."""
    sums: dict[str, list[float]] = {}
    for unit in units:
        bad, shown = sums.setdefault(unit.cluster, [0.0, 0.0])
        sums[unit.cluster] = [bad + unit.shown * bool(unit.bad), shown + unit.shown]
    return np.asarray(list(sums.values()), dtype=np.float64).reshape(-1, 2)


def resampled(units: Sequence[Weighed], resamples: int = RESAMPLES, seed: int = SEED) -> NDArray[np.float64]:
    """Rates of bootstrap samples that draw whole clusters with replacement, shape (resamples,)."""
    table = _by_cluster(units)
    drawn = np.random.default_rng(seed).integers(0, len(table), size=(resamples, len(table)))
    sums = table[drawn].sum(axis=1)
    return np.asarray(sums[:, 0] / np.maximum(sums[:, 1], 1.0))


def rate(units: Sequence[Weighed], resamples: int = RESAMPLES, seed: int = SEED) -> Rate:
    """The rate over the judged units. Where none or all are bad, the interval's other end is the rule of three's.

    A bootstrap of a handful of events is too narrow (one failure would look surer than none), so with fewer than five
    bad or good units the interval reaches as far as Wilson's over distinct units. One cluster cannot be resampled: its
    interval is Wilson's.
    """
    judged = [unit for unit in units if unit.bad is not None and unit.shown > 0]
    unjudged = sum(unit.bad is None for unit in units)
    shown = sum(unit.shown for unit in judged)
    bad = sum(bool(unit.bad) for unit in judged)
    clusters = len({unit.cluster for unit in judged})
    if not judged:
        return Rate(None, None, 0, unjudged, 0, 0, 0)
    value = sum(unit.shown * bool(unit.bad) for unit in judged) / shown
    edge = min(1.0, 3 / len(judged))
    if bad == 0:
        interval: Interval = (0.0, edge)
    elif bad == len(judged):
        interval = (1.0 - edge, 1.0)
    elif clusters == 1:
        interval = wilson(bad, len(judged)) or (0.0, 1.0)
    else:
        low, high = np.percentile(resampled(judged, resamples, seed), [2.5, 97.5])
        interval = (float(low), float(high))
        if min(bad, len(judged) - bad) < FEW:
            floor, ceiling = wilson(bad, len(judged)) or (0.0, 1.0)
            interval = (min(interval[0], floor), max(interval[1], ceiling))
    return Rate(value, interval, len(judged), unjudged, bad, shown, clusters)


@dataclass(frozen=True, slots=True)
class Power:
    """How a judge did on labelled sentences; "positive" is unsupported. Counts, not rates."""

    hits: int
    unsupported: int
    passes: int
    supported: int
    unjudged: int = 0

    @property
    def sensitivity(self) -> float | None:
        """Share of the unsupported sentences that it called so."""
        return self.hits / self.unsupported if self.unsupported else None

    @property
    def specificity(self) -> float | None:
        """Share of the supported sentences that it let pass."""
        return self.passes / self.supported if self.supported else None

    @property
    def sentences(self) -> int:
        """Labelled sentences on which it was measured."""
        return self.unsupported + self.supported


@dataclass(frozen=True, slots=True)
class Corrected:
    """A rate corrected for the judge's errors, its 95 % interval, and why the interval is what it is."""

    rate: float | None
    interval: Interval
    why: str


def rogan_gladen(positive: Any, sensitivity: Any, specificity: Any) -> Any:
    """(positive + specificity - 1) / (sensitivity + specificity - 1), held within 0 and 1 (Rogan and Gladen, 1978)."""
    informative = np.maximum(np.asarray(sensitivity) + np.asarray(specificity) - 1, MIN_POWER)
    return np.clip((np.asarray(positive) + np.asarray(specificity) - 1) / informative, 0.0, 1.0)


def _point(found: float, power: Power) -> float | None:
    """The corrected rate by a judge's counts; None where they tell nothing."""
    if power.sensitivity is None or power.specificity is None or power.sensitivity + power.specificity <= 1:
        return None
    return float(rogan_gladen(found, power.sensitivity, power.specificity))


def _unknown(power: Power) -> str | None:
    """Why the judge's errors on these sentences cannot be told; None where they can."""
    if power.unsupported < MIN_UNSUPPORTED:
        return f"only {power.unsupported} unsupported sentences passed its gate; {MIN_UNSUPPORTED} are needed"
    if power.sensitivity is None or power.specificity is None:
        return "the judge was not measured on sentences of both kinds"
    if power.sensitivity + power.specificity <= 1:
        return "the judge is no better than chance here"
    return None


def corrected(
    units: Sequence[Weighed], power: Power, pooled: Power | None = None, resamples: int = RESAMPLES, seed: int = SEED
) -> Corrected:
    """The corrected rate over `units` as judged. `power` is the judge's, on this system's labelled sentences.

    The interval carries three uncertainties: of the rate (clustered bootstrap), of sensitivity and of specificity
    (Jeffreys posteriors of their counts). It is [0, 1] where the judge's errors cannot be told; the rate then rests on
    `pooled`, its errors over all labelled sentences.
    """
    judged = [unit for unit in units if unit.bad is not None and unit.shown > 0]
    found = rate(judged, resamples, seed)
    if found.rate is None:
        return Corrected(None, (0.0, 1.0), "nothing was judged")
    why = _unknown(power)
    if why is not None:
        value = _point(found.rate, pooled or power)
        return Corrected(
            value, (0.0, 1.0), f"{why}, so labels lead; the rate takes the judge's errors over all labelled sentences"
        )
    random = np.random.default_rng(seed)
    sens = random.beta(power.hits + 0.5, power.unsupported - power.hits + 0.5, resamples)
    spec = random.beta(power.passes + 0.5, power.supported - power.passes + 0.5, resamples)
    drawn = rogan_gladen(resampled(judged, resamples, seed + 1), sens, spec)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Corrected(_point(found.rate, power), (float(low), float(high)), "carries the judge's own uncertainty")


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p of McNemar's test from the two counts of disagreeing pairs; 1 where there are none."""
    from scipy.stats import binomtest

    total = only_first + only_second
    return float(binomtest(only_first, total, 0.5).pvalue) if total else 1.0


def difference(first: Sequence[float], second: Sequence[float], resamples: int = RESAMPLES, seed: int = SEED) -> Any:
    """(mean of second - first over pairs, low, high): a paired bootstrap; None for no pairs."""
    if len(first) != len(second):
        raise ValueError("pairs of different length")
    if not first:
        return None
    gaps = np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(0, len(gaps), size=(resamples, len(gaps)))
    low, high = np.percentile(gaps[drawn].mean(axis=1), [2.5, 97.5])
    return float(gaps.mean()), float(low), float(high)
