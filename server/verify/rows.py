"""JSON lines in, the same rows with `score` and `supported` out: `plaincite support`."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from server.verify.support import Scorer

BATCH = 64  # rows that are looked at together: those that share a premise are read in one go


def _row(number: int, line: str, bad: Callable[[str], None]) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
        texts = [row["premise"], row["claim"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        bad(f"line {number}: not a JSON object with premise and claim")
        return None
    if not all(isinstance(text, str) for text in texts):
        bad(f"line {number}: premise and claim must be texts")
        return None
    return dict(row)


def scored(lines: Iterable[str], scorer: Scorer, bad: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """Each good row with its score (0 to 1) and whether that is enough, in order; `bad` is told of the others."""
    read = (_row(number, line, bad) for number, line in enumerate(lines, start=1) if line.strip())
    rows = (row for row in read if row is not None)
    while batch := list(islice(rows, BATCH)):
        claims: dict[str, list[int]] = {}
        for place, row in enumerate(batch):
            claims.setdefault(row["premise"], []).append(place)
        scores = [0.0] * len(batch)
        readings = [(premise, [batch[place]["claim"] for place in places]) for premise, places in claims.items()]
        for places, found in zip(claims.values(), scorer.support(readings), strict=True):
            for place, one in zip(places, found, strict=True):
                scores[place] = one.score
        for row, score in zip(batch, scores, strict=True):
            yield {**row, "score": round(score, 4), "supported": score >= scorer.threshold}
