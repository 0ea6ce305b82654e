"""The kind of question, by comparison with example questions: nearest neighbours over their embeddings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.index import Examples

NEIGHBOURS = 12
SHARPNESS = 18.0


@dataclass(frozen=True, slots=True)
class Intent:
    """A brief's id, cosine of its nearest example (-1 to 1) and its share of the vote minus the next one's (0 to 1)."""

    brief: str
    similarity: float
    margin: float


def rank(vector: NDArray[np.float32], examples: Examples) -> list[Intent]:
    """Briefs by vote of the nearest examples, best first. `vector`: shape (384,), length 1."""
    cosines = examples.vectors @ vector
    nearest = np.argsort(cosines)[::-1][:NEIGHBOURS]
    votes: dict[str, float] = {}
    closest: dict[str, float] = {}
    for position in nearest:
        brief, cosine = examples.briefs[position], float(cosines[position])
        votes[brief] = votes.get(brief, 0.0) + float(np.exp(SHARPNESS * cosine))
        closest[brief] = max(closest.get(brief, -1.0), cosine)
    total = sum(votes.values())
    ordered = sorted(votes, key=lambda brief: votes[brief], reverse=True)
    shares = [votes[brief] / total for brief in ordered] + [0.0]
    return [Intent(brief, closest[brief], shares[i] - shares[i + 1]) for i, brief in enumerate(ordered)]
