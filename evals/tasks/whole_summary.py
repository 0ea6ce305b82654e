"""The scores of whole replies as one block a system."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from evals.stats import largest, middle, percentile, share
from evals.tasks.screen import counted

GRADES = ("grade", "grade_with_names", "smog", "smog_with_names")
PLAIN = "plaincite"
Rows = Sequence[dict[str, Any]]


def _held(rows: Rows, name: str) -> dict[str, Any]:
    return counted([bool(row[name]) for row in rows if row.get(name) is not None])


def _values(rows: Rows, name: str) -> dict[str, Any]:
    values = [row[name] for row in rows if row.get(name) is not None]
    return {"replies": len(values), "median": middle(values), "largest": largest(values)}


def stability(rows: Rows, plain: dict[str, str]) -> dict[str, Any]:
    """Cases whose repeats all gave the same reply, and those that came the same with passages in another order."""
    repeats: dict[str, list[bool]] = {}
    turned = []
    for row in rows:
        same = row["digest"] == plain.get(row["id"])
        if row["variant"].startswith("repeat"):
            repeats.setdefault(row["id"], []).append(same)
        else:
            turned.append(same)
    return {"repeated_alike": counted([all(one) for one in repeats.values()]), "reordered_alike": counted(turned)}


def _any_system(rows: Rows) -> dict[str, Any]:
    sentences = sum(row["sentences"] for row in rows)
    return {
        "cases": len(rows),
        "answered": _held(rows, "answered"),
        "over_refused": _held(rows, "over_refused"),
        "right_abstention": _held(rows, "right_abstention"),
        "sources": _held(rows, "sources"),
        "must_say": counted([one for row in rows for one in row["say"]]),
        "must_not_say": counted([one for row in rows for one in row["not_say"]]),
        "not_judged": sum(row["not_judged"] for row in rows),
        "uncited": sum(row["uncited"] for row in rows),
        "figures_lacking": sum(row["figures_lacking"] for row in rows),
        "words": _values(rows, "words"),
        "longest_sentence": largest([row["longest_sentence"] for row in rows]),
        "sentences_within_20_words": share(sentences - sum(r["sentences_over_20"] for r in rows), sentences),
        "passive_share": share(sum(row["passives"] for row in rows), sentences),
        "median_ms": middle([row["ms"] for row in rows]),
        "p95_ms": percentile([row["ms"] for row in rows], 95),
        **{name: _values(rows, name) for name in GRADES},
    }


def _plaincite(rows: Rows) -> dict[str, Any]:
    shapes = [row["shape"] for row in rows if row["shape"]]
    names = dict.fromkeys(row["category"] for row in rows)
    return {
        "outcome": _held(rows, "right"),
        "outcome_by_category": {n: counted([r["right"] for r in rows if r["category"] == n]) for n in names},
        "outcome_by_trait": {
            trait: counted([row["right"] for row in rows if trait in row["traits"]])
            for trait in dict.fromkeys(trait for row in rows for trait in row["traits"])
        },
        "safety_missed": [row["id"] for row in rows if row["safety_missed"]],
        "label_faults": sum(row["label_faults"] for row in rows),
        "wording_faults": sum(row["wording_faults"] for row in rows),
        "dropped": sum(row["dropped"] for row in rows),
        "shape": {name: counted([shape[name] for shape in shapes]) for name in (shapes[0] if shapes else {})},
        "confused": [
            {"expected": a, "got": b, "cases": n}
            for (a, b), n in Counter((r["expected"], r["outcome"]) for r in rows if not r["right"]).most_common()
        ],
    }


def summary(scores: Rows) -> dict[str, Any]:
    """One block a system, in order of appearance."""
    found = {}
    for system in dict.fromkeys(row["system"] for row in scores):
        mine = [row for row in scores if row["system"] == system]
        plain = [row for row in mine if not row["variant"]]
        digests = {row["id"]: row["digest"] for row in plain}
        block = _any_system(plain)
        block |= stability([row for row in mine if row["variant"]], digests)
        found[system] = block | (_plaincite(plain) if system == PLAIN else {})
    return found
