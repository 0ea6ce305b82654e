"""report.html: one file, no network, made from report.json alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from evals.report import plots, words
from evals.report.content import PAIRS
from evals.tasks import TASKS
from evals.thresholds import Finding

FOLDER = Path(__file__).resolve().parent
MAX_GRADE = 8.0
PLOTS = ("rates", "reliability", "confusion", "latency", "grade")


def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(("html.jinja",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["words"] = words
    return found


def _plots(report: Mapping[str, Any]) -> dict[str, str]:
    systems, tasks = report["systems"], report["tasks"]
    whole = tasks.get("whole", {})
    found = {}
    if systems:
        found["rates"] = plots.rates(systems)
    if any(one["sentences"] for one in report["reliability"]):
        found["reliability"] = plots.reliability(report["reliability"])
    if tasks.get("screen", {}).get("confusion"):
        found["confusion"] = plots.confusion(tasks["screen"]["confusion"])
    if whole:
        latency = {name: block["median_ms"] for name, block in whole.items()}
        found["latency"] = plots.bars(latency, "median milliseconds a reply", "Latency by system")
        grades = {name: block["grade"]["median"] for name, block in whole.items()}
        label = "median Flesch-Kincaid grade, names removed (dashed: grade 8)"
        found["grade"] = plots.bars(grades, label, "Reading grade by system", MAX_GRADE)
    return found


def render(report: Mapping[str, Any], findings: list[Finding]) -> str:
    """The page."""
    template = _environment().get_template("report.html.jinja")
    tasks = {name: report["tasks"].get(name) for name in TASKS}
    shown = {**dict.fromkeys(PLOTS), **_plots(report)}
    return template.render(report=report, tasks=tasks, plots=shown, findings=findings, pairs_file=PAIRS)


def write_html(folder: Path, report: Mapping[str, Any], findings: list[Finding]) -> Path:
    """report.html in the folder."""
    path = folder / "report.html"
    path.write_text(render(report, findings), encoding="utf-8")
    return path
