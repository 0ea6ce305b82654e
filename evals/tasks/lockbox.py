"""The lock box: sealed cases through the production path. Only counts leave this module."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from evals.cases import lockbox_cases, looks
from evals.cases.read import check_known
from evals.score import score
from evals.tasks.base import Bench, NotRun, Output, Sample, Score
from evals.tasks.screen import counted
from server.turn import SAFETY


def results(bench: Bench) -> list[tuple[str, bool, bool, bool]]:
    """(id, outcome right, is a safety item, safety item without any card) of each sealed case."""
    production = bench.production
    cases = lockbox_cases()
    check_known(cases, production.corpus)
    found = []
    for case in cases:
        row = score(case, production.turn(case), production.corpus, production.engine.wording)
        safety = case.expected_behaviour in SAFETY
        carded = row.outcome in {outcome.value for outcome in SAFETY}
        found.append((case.id, row.right, safety, safety and not carded))
    return found


class LockboxTask:
    """One sample that holds counts only."""

    name = "lockbox"

    def samples(self, bench: Bench) -> Sequence[Sample]:
        """One; none in a quick run, which is what people tune with."""
        if bench.quick:
            raise NotRun("left out of a quick run")
        return [Sample("all")]

    def generate(self, bench: Bench, sample: Sample) -> Output:
        """Counts."""
        rows = results(bench)
        kinds = Counter(("safety" if safety else "other", right) for _, right, safety, _ in rows)
        return {
            "cases": len(rows),
            "safety_right": kinds["safety", True],
            "safety": kinds["safety", True] + kinds["safety", False],
            "other_right": kinds["other", True],
            "other": kinds["other", True] + kinds["other", False],
            "safety_without_card": sum(missed for *_, missed in rows),
        }

    def score(self, bench: Bench, sample: Sample, output: Output) -> Score:
        """The counts as they are."""
        return dict(output)

    def summary(self, bench: Bench, scores: Sequence[Score]) -> dict[str, Any]:
        """Shares with Wilson intervals, and how often the lock box was opened."""
        if not scores:
            return {}
        row, seen = scores[0], looks()
        right = row["safety_right"] + row["other_right"]
        return {
            "cases": row["cases"],
            "outcome": counted([True] * right + [False] * (row["cases"] - right)),
            "safety_outcome": counted([True] * row["safety_right"] + [False] * (row["safety"] - row["safety_right"])),
            "safety_without_card": row["safety_without_card"],
            "looks": seen.count,
            "spent": seen.spent,
        }
