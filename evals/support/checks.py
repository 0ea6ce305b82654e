"""What the deterministic figure check and the model each stop among planted errors, alone and together."""

from collections.abc import Callable
from typing import Any

import numpy as np

from evals.support.measures import Truths, share_of, with_interval
from evals.support.sets import Scored
from server.verify.figures import unsupported

Objects = Truths


def _rates(objects: Objects, supported: Truths, clusters: list[str]) -> dict[str, Any]:
    def over(rows_of: Truths) -> Callable[[Any], float]:
        return lambda rows: share_of(objects[rows][rows_of[rows]])

    return {
        "stopped": vars_of(with_interval(over(~supported), clusters)),
        "false_drops": vars_of(with_interval(over(supported), clusters)),
    }


def vars_of(figure: Any) -> dict[str, float]:
    """A figure as a mapping."""
    return {"value": figure.value, "low": figure.low, "high": figure.high}


def alone_and_together(found: Scored) -> dict[str, Any]:
    """Share of errors stopped and of true claims dropped, by each check and by both."""
    supported = np.array([pair.supported for pair in found.set.pairs])
    clusters = [pair.passage for pair in found.set.pairs]
    model = found.scores < (found.limit or 0.0)
    figures = np.array([bool(unsupported(pair.claim, [pair.passage])) for pair in found.set.pairs])
    return {
        "figures": _rates(figures, supported, clusters),
        "model": _rates(model, supported, clusters),
        "both": _rates(model | figures, supported, clusters),
    }
