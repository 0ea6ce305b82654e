"""JSON lines in, the same rows with `score` and `supported` out: `plaincite support`."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from server.verify.support import SUPPORTED_FROM, support


def scored(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Each row with its score (0 to 1), one at a time. Raises ValueError that names the line."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            premise, claim = row["premise"], row["claim"]
        except (ValueError, TypeError, KeyError):
            raise ValueError(f"line {number}: not a JSON object with premise and claim") from None
        if not isinstance(premise, str) or not isinstance(claim, str):
            raise ValueError(f"line {number}: premise and claim must be texts")
        score = round(support(claim, premise), 4)
        yield {**row, "score": score, "supported": score >= SUPPORTED_FROM}
