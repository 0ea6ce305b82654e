"""Tables for a terminal. Nothing measured is shown as a dash, never as 0."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from evals.bars import Bar
from evals.stats import share
from evals.summary import Miss, Sums

NONE = "–"
MIN_WIDTH = 120


def console(stderr: bool = False) -> Console:
    """Standard output (or error); a pipe gets a fixed width, so that its lines do not wrap early."""
    out = Console(highlight=False, stderr=stderr)
    return out if out.is_terminal else Console(highlight=False, stderr=stderr, width=MIN_WIDTH)


def number(value: float | None, digits: int = 1) -> str:
    """A number, or a dash for none."""
    return NONE if value is None else f"{value:.{digits}f}"


def of(held: int, asked: int) -> str:
    """'9/10 90%', or a dash where nothing was asked."""
    rate = share(held, asked)
    return NONE if rate is None else f"{held}/{asked} {rate:.0%}"


def pair(median: float | None, most: float | None, digits: int = 1) -> str:
    """'median / largest'."""
    return NONE if median is None else f"{number(median, digits)} / {number(most, digits)}"


def _empty(title: str) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", header_style="", box=SIMPLE, min_width=len(title) + 2
    )


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Rows under their columns, the first column to the left."""
    made = _empty(title)
    for place, column in enumerate(columns):
        made.add_column(column, justify="left" if place == 0 else "right", no_wrap=place == 0)
    for row in rows:
        made.add_row(*row)
    return made


def sums_table(title: str, groups: Iterable[Sums]) -> Table:
    """One line a group: outcome, sources, regular expressions, words and grades as median / largest."""
    columns = ("group", "items", "outcome", "sources", "patterns", "not judged", "words", "grade", "with names")
    return table(
        title,
        columns,
        (
            (
                group.name,
                str(group.items),
                of(group.right, group.items),
                of(group.sources_held, group.sources_asked),
                of(group.patterns_held, group.patterns_asked),
                str(group.not_judged),
                pair(group.words_median, group.words_max, 0),
                pair(group.grade_median, group.grade_max),
                pair(group.grade_with_names_median, group.grade_with_names_max),
            )
            for group in groups
        ),
    )


def bars_table(bars: Iterable[Bar]) -> Table:
    """Each bar with its value and whether it was reached."""
    rows = [(bar.name, number(bar.value, bar.digits), str(bar.to_json()["bar"]), bar.state) for bar in bars]
    return table("Bars", ("what", "value", "bar", "state"), rows)


def misses_table(misses: Iterable[Miss]) -> Table:
    """Each miss with what was expected."""
    made = _empty("Misses")
    for column in ("id", "kind", "expected", "got", "reason"):
        made.add_column(column, overflow="fold", no_wrap=column == "id")
    for miss in misses:
        made.add_row(miss.id, miss.kind, miss.expected, miss.got, miss.reason)
    return made


def values_table(title: str, values: Mapping[str, Any]) -> Table:
    """Names and values as they are."""
    return table(title, ("what", "value"), ((name, str(value)) for name, value in values.items()))
