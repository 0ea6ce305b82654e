"""Measures of a ranking against gold passages: recall@k, MRR, nDCG@10 (binary gains, Järvelin and Kekäläinen, 2002)."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from math import log2

KS = (1, 3, 5, 10)
DEPTH = 10


def recall_at(ranking: Sequence[str], gold: AbstractSet[str], k: int) -> float:
    """Share of the gold items among the first k; raises ValueError without gold."""
    if not gold:
        raise ValueError("recall needs at least one gold item")
    return len(gold & set(ranking[:k])) / len(gold)


def reciprocal(ranking: Sequence[str], gold: AbstractSet[str]) -> float:
    """1 / rank of the first gold item, 0 where none was found."""
    return next((1 / rank for rank, item in enumerate(ranking, start=1) if item in gold), 0.0)


def ndcg(ranking: Sequence[str], gold: AbstractSet[str], k: int = DEPTH) -> float:
    """Normalised discounted cumulative gain of the first k; raises ValueError without gold."""
    if not gold:
        raise ValueError("nDCG needs at least one gold item")
    gain = sum(1 / log2(rank + 1) for rank, item in enumerate(ranking[:k], start=1) if item in gold)
    best = sum(1 / log2(rank + 1) for rank in range(1, min(len(gold), k) + 1))
    return gain / best


def measures(ranking: Sequence[str], gold: AbstractSet[str]) -> dict[str, float]:
    """All measures of one query."""
    found = {f"recall@{k}": recall_at(ranking, gold, k) for k in KS}
    return {**found, "ndcg@10": ndcg(ranking, gold), "mrr": reciprocal(ranking, gold)}


def averaged(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean of each measure over queries; empty for no queries."""
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]} if rows else {}
