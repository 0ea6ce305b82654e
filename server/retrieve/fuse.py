"""Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): score = sum over lists of 1 / (60 + rank)."""

from collections.abc import Iterable

K = 60


def reciprocal_rank(rankings: Iterable[list[str]]) -> dict[str, float]:
    """Score by id over several rankings, each best first; ids keep no other trace of their lists."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, identifier in enumerate(ranking, start=1):
            scores[identifier] = scores.get(identifier, 0.0) + 1.0 / (K + rank)
    return dict(sorted(scores.items(), key=lambda item: -item[1]))
