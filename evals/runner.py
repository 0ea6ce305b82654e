"""Generates and scores, apart: what is generated once is never generated again, what is scored can be scored anew."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from evals.folder import Run
from evals.table import console
from evals.tasks import Bench, NotRun, Sample, Task, task

GENERATED = "generated.jsonl"
SCORES = "scores.jsonl"


def bar() -> Progress:
    """The progress bar of every long step; a pipe shows none."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console(stderr=True), transient=True)


def _key(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return row["task"], row["system"], row["id"], row["variant"]


def _named(name: str, sample: Sample) -> dict[str, Any]:
    return {"task": name, "system": sample.system, "id": sample.id, "variant": sample.variant}


def planned(bench: Bench, tasks: Iterable[Task]) -> tuple[list[tuple[Task, Sequence[Sample]]], dict[str, str]]:
    """Each task with its samples, and why the others cannot run here."""
    plan, not_run = [], {}
    for one in tasks:
        try:
            plan.append((one, one.samples(bench)))
        except NotRun as reason:
            not_run[one.name] = str(reason)
    return plan, not_run


def generate(bench: Bench, tasks: Iterable[Task], run: Run) -> dict[str, str]:
    """Generates what the run lacks; returns the tasks that cannot run here, with the reason.

    An output that fails is a row with `error`: it is counted, written to problems.log, and tried again on resuming.
    """
    plan, not_run = planned(bench, tasks)
    held = [row for row in run.rows(GENERATED) if "error" not in row]
    run.write(GENERATED, held)
    done = {_key(row) for row in held}
    with bar() as progress:
        for one, samples in plan:
            shown = progress.add_task(one.name, total=len(samples))
            for sample in samples:
                if (one.name, sample.system, sample.id, sample.variant) not in done:
                    run.append(GENERATED, _generated(bench, one, sample, run))
                progress.advance(shown)
    return not_run


def _generated(bench: Bench, one: Task, sample: Sample, run: Run) -> dict[str, Any]:
    row = _named(one.name, sample)
    try:
        return {**row, "output": one.generate(bench, sample)}
    except Exception as error:
        run.problem(f"{one.name} {sample.system} {sample.id} {sample.variant}: {type(error).__name__}: {error}")
        return {**row, "error": type(error).__name__}


def score(bench: Bench, run: Run) -> dict[str, list[dict[str, Any]]]:
    """Scores everything that was generated and writes scores.jsonl; scores by task."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in run.rows(GENERATED):
        scores = found.setdefault(row["task"], [])
        if "error" in row:
            continue
        sample = Sample(row["id"], row["system"], row["variant"])
        try:
            value = task(row["task"]).score(bench, sample, row["output"])
        except (NotRun, KeyError) as error:
            run.problem(f"{row['task']} {sample.id}: not scored: {error}")
            continue
        if value is not None:
            scores.append({**_named(row["task"], sample), **value})
    run.write(SCORES, (one for scores in found.values() for one in scores))
    return found


def failures(run: Run) -> dict[str, int]:
    """How many outputs failed, by task and system."""
    counts: dict[str, int] = {}
    for row in run.rows(GENERATED):
        if "error" in row:
            name = f"{row['task']}: {row['system']}"
            counts[name] = counts.get(name, 0) + 1
    return counts
