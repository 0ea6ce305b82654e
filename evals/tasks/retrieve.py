"""Retrieve: gold passages found by meaning (dense), by words (keyword) and by both (fused), side by side."""

from collections.abc import Sequence
from typing import Any

from evals.ranking import DEPTH, averaged, measures
from evals.tasks.base import Bench, Output, Sample, Score

METHODS = ("dense", "keyword", "fused")


class RetrieveTask:
    """Over the cases that carry gold passages."""

    name = "retrieve"

    def samples(self, bench: Bench) -> Sequence[Sample]:
        """Cases with gold passages."""
        return [Sample(case.id) for case in bench.cases if case.passages]

    def generate(self, bench: Bench, sample: Sample) -> Output:
        """The first ten passages by each method, as production's own parts rank them."""
        retrieve, reading = bench.production.retrieve, bench.production.reading(bench.by_id[sample.id])
        return {
            "dense": [key for key, _ in retrieve.dense(reading, "passage")][:DEPTH],
            "keyword": retrieve.keyword(reading, "passage")[:DEPTH],
            "fused": [hit.id for hit in retrieve.search(reading, "passage")][:DEPTH],
        }

    def score(self, bench: Bench, sample: Sample, output: Output) -> Score:
        """Measures by method."""
        case = bench.by_id[sample.id]
        return {"category": case.category, **{name: measures(output[name], set(case.passages)) for name in METHODS}}

    def summary(self, bench: Bench, scores: Sequence[Score]) -> dict[str, Any]:
        """Means over the cases."""
        return {"queries": len(scores), **{name: averaged([row[name] for row in scores]) for name in METHODS}}
