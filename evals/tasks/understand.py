"""Understand: is the kind of question read as a reader would, and are the studies that it names found?"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from evals.tasks.base import Bench, Output, Sample, Score
from evals.tasks.screen import counted


class UnderstandTask:
    """Over the cases that carry gold intents or studies."""

    name = "understand"

    def samples(self, bench: Bench) -> Sequence[Sample]:
        """Cases with a gold intent or a gold study."""
        return [Sample(case.id) for case in bench.cases if case.intents or case.studies]

    def generate(self, bench: Bench, sample: Sample) -> Output:
        """The reading, whatever the screen would say."""
        reading = bench.production.reading(bench.by_id[sample.id])
        return {
            "brief": reading.brief,
            "score": round(reading.score, 4),
            "probability": round(reading.probability, 4),
            "studies": list(reading.studies),
            "in_scope": reading.in_scope,
        }

    def score(self, bench: Bench, sample: Sample, output: Output) -> Score:
        """Intent right (None where no gold intent), abstained, and the studies as sets."""
        case = bench.by_id[sample.id]
        gold, found = set(case.studies or ()), set(output["studies"])
        return {
            "category": case.category,
            "got": output["brief"],
            "gold": list(case.intents or ()),
            "intent": output["brief"] in case.intents if case.intents else None,
            "abstained": output["brief"] is None,
            "studies_gold": sorted(gold),
            "studies_got": sorted(found),
            "studies_right": gold == found,
            "studies_hit": len(gold & found),
        }

    def summary(self, bench: Bench, scores: Sequence[Score]) -> dict[str, Any]:
        """Shares with Wilson intervals; precision and recall of named studies, pooled over cases."""
        intents = [row for row in scores if row["intent"] is not None]
        answered = [row for row in intents if not row["abstained"]]
        hit = sum(row["studies_hit"] for row in scores)
        got, gold = (sum(len(row[name]) for row in scores) for name in ("studies_got", "studies_gold"))
        wrong = Counter((row["gold"][0], str(row["got"])) for row in intents if not row["intent"])
        return {
            "intent": counted([row["intent"] for row in intents]),
            "intent_where_read": counted([row["intent"] for row in answered]),
            "abstained": counted([row["abstained"] for row in intents]),
            "studies_exact": counted([row["studies_right"] for row in scores]),
            "studies_precision": hit / got if got else None,
            "studies_recall": hit / gold if gold else None,
            "confused": [{"gold": a, "got": b, "cases": n} for (a, b), n in wrong.most_common(15)],
        }
