"""The report's plots as SVG text: each says the same as a table that stands beside it."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure

matplotlib.use("svg")
STYLE: Any = {"svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10, "svg.hashsalt": "plaincite"}
INK, QUIET = "#1d3b53", "#c9d3da"
MARKS = {
    "labels": ("o", "#005a9c", "labels"),
    "corrected": ("s", "#b35900", "judge, corrected"),
    "judge": ("^", "#6a6a6a", "judge, as it is"),
}


def _svg(figure: Figure, says: str) -> str:
    buffer = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    return re.sub(r"<svg ", f'<svg role="img" aria-label="{says}" ', svg, count=1)


def _axes(height: float, width: float = 7.2) -> tuple[Figure, Any]:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def rates(systems: Sequence[Mapping[str, Any]]) -> str:
    """Hallucination rate by system with 95 % intervals: labels, judge corrected, judge as it is."""
    figure, axes = _axes(0.8 + 0.75 * len(systems))
    for place, system in enumerate(systems):
        for offset, (name, (mark, colour, says)) in zip((0.22, 0.0, -0.22), MARKS.items(), strict=True):
            one = system[name]
            if one is None or one["rate"] is None:
                continue
            low, high = one["interval"]
            y = len(systems) - 1 - place + offset
            axes.plot([low, high], [y, y], color=colour, linewidth=2)
            axes.plot([one["rate"]], [y], mark, color=colour, label=says if place == 0 else None)
    axes.set_yticks(range(len(systems)), [s["system"] for s in reversed(systems)])
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("share of shown sentences that their passages do not support")
    handles = [axes.plot([], [], mark, color=colour)[0] for mark, colour, _ in MARKS.values()]
    axes.legend(
        handles,
        [says for _, _, says in MARKS.values()],
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=3,
        frameon=False,
    )
    return _svg(figure, "Hallucination rate by system with intervals")


def reliability(bins: Sequence[Mapping[str, Any]]) -> str:
    """The gate's support score against the share that readers call supported; the dotted line would be perfect."""
    figure, axes = _axes(3.6, 4.6)
    shown = [one for one in bins if one["sentences"]]
    axes.plot([0, 1], [0, 1], ":", color=INK)
    axes.plot([one["mean_score"] for one in shown], [one["supported"] for one in shown], "o-", color="#005a9c")
    for one in shown:
        axes.annotate(
            f"n = {one['sentences']}",
            (one["mean_score"], one["supported"]),
            textcoords="offset points",
            xytext=(6, -12),
            fontsize=8,
        )
    axes.set(xlim=(0, 1.02), ylim=(0, 1.05), xlabel="the gate's support score", ylabel="called supported by readers")
    return _svg(figure, "Reliability curve of the gate")


def confusion(cells: Sequence[Mapping[str, Any]]) -> str:
    """Expected against actual endings of the screen, safety endings only."""
    rows = sorted({cell["expected"] for cell in cells})
    columns = sorted({cell["got"] for cell in cells})
    figure, axes = _axes(0.9 + 0.32 * len(rows), 1.8 + 0.62 * len(columns))
    grid = [[0] * len(columns) for _ in rows]
    for cell in cells:
        grid[rows.index(cell["expected"])][columns.index(cell["got"])] = cell["cases"]
    axes.imshow(grid, cmap="Blues", aspect="auto")
    peak = max(map(max, grid))
    for y, line in enumerate(grid):
        for x, number in enumerate(line):
            if number:
                axes.text(x, y, str(number), ha="center", va="center", color="white" if number > peak * 0.6 else INK)
    axes.set_xticks(range(len(columns)), [name.replace("_", " ") for name in columns], rotation=40, ha="right")
    axes.set_yticks(range(len(rows)), [name.replace("_", " ") for name in rows])
    axes.set(xlabel="ended in", ylabel="expected")
    return _svg(figure, "Confusion of the safety screen")


def bars(values: Mapping[str, float | None], label: str, says: str, limit: float | None = None) -> str:
    """One bar a name; a value that was not measured has none; `limit` is a dashed line."""
    figure, axes = _axes(0.7 + 0.4 * len(values))
    names = list(values)
    for place, name in enumerate(reversed(names)):
        value = values[name]
        axes.barh([place], [value or 0], color="#005a9c" if value is not None else QUIET, height=0.6)
        axes.annotate(
            "not measured" if value is None else f"{value:,.1f}",
            (value or 0, place),
            va="center",
            xytext=(4, 0),
            textcoords="offset points",
        )
    axes.set_yticks(range(len(names)), list(reversed(names)))
    axes.set_xlabel(label)
    axes.margins(x=0.15)
    if limit is not None:
        axes.axvline(limit, linestyle="--", color="#b35900")
    return _svg(figure, says)
