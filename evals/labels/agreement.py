"""How far two readers agree: Cohen's kappa, over the labels and over hallucination yes or no."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evals.labels.read import GOLD, Labelled

RESAMPLES = 2000
SEED = 7


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two readers over the sentences that both labelled. Kappas are None where one label alone was ever given."""

    readers: tuple[str, str]
    sentences: int
    same: int
    kappa: float | None
    kappa_binary: float | None
    binary_interval: tuple[float, float] | None
    persons: bool

    def to_json(self) -> dict[str, Any]:
        """As it stands in report.json."""
        return asdict(self)


def kappa(first: Sequence[Any], second: Sequence[Any]) -> float | None:
    """Cohen's kappa (scikit-learn's); None where it is not defined."""
    if not first or len({*first, *second}) < 2:
        return None
    from sklearn.metrics import cohen_kappa_score

    return float(cohen_kappa_score([str(x) for x in first], [str(x) for x in second]))


def _interval(first: list[str], second: list[str]) -> tuple[float, float] | None:
    random = np.random.default_rng(SEED)
    one, two = np.asarray(first), np.asarray(second)
    found = []
    for _ in range(RESAMPLES):
        drawn = random.integers(0, len(one), size=len(one))
        a, b = one[drawn] == "True", two[drawn] == "True"
        chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
        if chance < 1:
            found.append(((a == b).mean() - chance) / (1 - chance))
    low, high = np.percentile(found, [2.5, 97.5]) if found else (0.0, 1.0)
    return float(low), float(high)


def agreement(labelled: Labelled) -> list[Agreement]:
    """Each pair of readers with sentences in common."""
    found = []
    names = [reader.name for reader in labelled.readers]
    persons = {reader.name: reader.is_person for reader in labelled.readers}
    for place, one in enumerate(names):
        for two in names[place + 1 :]:
            keys = [key for key in labelled.given[one] if key in labelled.given[two]]
            if not keys:
                continue
            a = [labelled.given[one][key].label for key in keys]
            b = [labelled.given[two][key].label for key in keys]
            both = [(str(GOLD[x]), str(GOLD[y])) for x, y in zip(a, b, strict=True) if None not in (GOLD[x], GOLD[y])]
            first, second = [x for x, _ in both], [y for _, y in both]
            binary = kappa(first, second)
            found.append(
                Agreement(
                    (one, two),
                    len(keys),
                    sum(x == y for x, y in zip(a, b, strict=True)),
                    kappa(a, b),
                    binary,
                    _interval(first, second) if binary is not None else None,
                    persons[one] and persons[two],
                )
            )
    return found
