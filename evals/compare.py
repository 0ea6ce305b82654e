"""Two runs side by side, case by case: what got better, what got worse, and whether chance would do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evals.folder import Run
from evals.rates import difference, mcnemar
from evals.report.content import PAIRS
from evals.runner import SCORES
from evals.systems import plaincite

Value = Callable[[Mapping[str, Any]], bool | None]


def _clean(row: Mapping[str, Any]) -> bool:
    return not (row["uncited"] or row["figures_lacking"] or row["label_faults"] or row["wording_faults"])


# What is compared, true where it is good.
ASPECTS: dict[str, Value] = {
    "ended as expected": lambda row: row["right"],
    "cites the sources that it should": lambda row: row["sources"],
    "says what it must": lambda row: all(row["say"]),
    "says nothing that it must not": lambda row: all(row["not_say"]),
    "no uncited, unsupported-figure, label or wording fault": _clean,
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One aspect over the cases that both runs hold; `gap` is (mean of B - A, low, high)."""

    aspect: str
    cases: int
    first: int
    second: int
    worse: tuple[str, ...]
    better: tuple[str, ...]
    p: float
    gap: tuple[float, float, float] | None


def _rows(run: Run) -> dict[str, dict[str, Any]]:
    return {
        row["id"]: row
        for row in run.rows(SCORES)
        if row["task"] == "whole" and row["system"] == plaincite.NAME and not row["variant"]
    }


def _compared(aspect: str, first: Mapping[str, bool | None], second: Mapping[str, bool | None]) -> Compared:
    keys = [k for k in first if first[k] is not None and second.get(k) is not None]
    worse = tuple(k for k in keys if first[k] and not second[k])
    better = tuple(k for k in keys if second[k] and not first[k])
    a, b = [float(bool(first[k])) for k in keys], [float(bool(second[k])) for k in keys]
    return Compared(
        aspect, len(keys), int(sum(a)), int(sum(b)), worse, better, mcnemar(len(worse), len(better)), difference(a, b)
    )


def _sentences(run: Run, by: str) -> dict[str, bool | None]:
    """Distinct sentences of PlainCite by key: true where they are not called a hallucination."""
    rows = [row for row in run.rows(PAIRS) if row["system"] == plaincite.NAME]
    return {row["key"]: None if row[by] is None else not row[by] for row in rows}


def compare(first: Run, second: Run) -> list[Compared]:
    """Every aspect of the cases, and the sentences that both runs showed, by labels and by the judge."""
    a, b = _rows(first), _rows(second)
    found = [
        _compared(name, {k: value(row) for k, row in a.items()}, {k: value(row) for k, row in b.items()})
        for name, value in ASPECTS.items()
    ]
    for by, says in (("label_bad", "labels"), ("judge_bad", "judge")):
        name = f"sentences in both, supported by the {says}"
        found.append(_compared(name, _sentences(first, by), _sentences(second, by)))
    return found


def lines(found: list[Compared]) -> list[str]:
    """The comparison in words, an aspect a line, what got worse by name."""
    said = []
    for one in found:
        if not one.cases:
            said.append(f"{one.aspect}: nothing in common")
            continue
        gap = f", B - A {one.gap[0]:+.1%} ({one.gap[1]:+.1%} to {one.gap[2]:+.1%})" if one.gap else ""
        said.append(f"{one.aspect}: {one.first} → {one.second} of {one.cases}{gap}, McNemar p = {one.p:.3f}")
        if one.worse:
            said.append(f"  worse: {', '.join(one.worse)}")
        if one.better:
            said.append(f"  better: {', '.join(one.better)}")
    return said
