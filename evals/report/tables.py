"""The report's main tables in the terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from evals.report.words import count, number, percent, with_interval
from evals.table import table, values_table

SCREEN = ("recall_exact", "recall", "danger_recall", "false_alarms")
WHOLE = ("outcome", "sources", "must_say", "must_not_say", "over_refused", "repeated_alike", "reordered_alike")
SYSTEMS = (
    "system",
    "labelled",
    "corrected",
    "citation recall / precision",
    "answered",
    "abstains rightly",
    "grade",
    "ms",
)


def systems_table(report: Mapping[str, Any]) -> Table:
    """One line a system: what it makes up, and what it costs."""
    whole = report["tasks"].get("whole", {})
    rows = []
    for one in report["systems"]:
        block = whole[one["system"]]
        rows.append(
            (
                one["system"],
                with_interval(one["labels"]),
                with_interval(one["corrected"]),
                f"{percent(one['citation_recall'])} / {percent(one['citation_precision'])}",
                percent(block["answered"]["share"]),
                percent(block["right_abstention"]["share"]),
                number(block["grade"]["median"]),
                number(block["median_ms"], 0),
            )
        )
    return table("Hallucination rate and cost by system", SYSTEMS, rows)


def _retrieval(found: Mapping[str, Any]) -> dict[str, str]:
    return {
        method: ", ".join(f"{name} {number(value, 3)}" for name, value in found[method].items())
        for method in ("dense", "keyword", "fused")
    }


def block_table(report: Mapping[str, Any]) -> Iterator[Table]:
    """A table a task that was run."""
    tasks = report["tasks"]
    if screen := tasks.get("screen"):
        yield values_table("Screen", {name.replace("_", " "): count(screen[name]) for name in SCREEN})
    if read := tasks.get("understand"):
        yield values_table("Understand", {name: count(read[name]) for name in ("intent", "studies_exact")})
    for name in ("retrieve", "scifact"):
        if found := tasks.get(name):
            yield values_table(f"{name.capitalize()}, {found['queries']} queries", _retrieval(found))
    if verify := tasks.get("verify"):
        caught = {kind.replace("_", " "): count(one["dropped"]) for kind, one in verify["by_kind"].items()}
        yield values_table("Planted errors that the gate drops", caught)
    if own := tasks.get("whole", {}).get("plaincite"):
        yield values_table("PlainCite's replies", {name.replace("_", " "): count(own[name]) for name in WHOLE})
    if sealed := tasks.get("lockbox"):
        yield values_table("Lock box", {"outcome": count(sealed["outcome"]), "looks": sealed["looks"]})
