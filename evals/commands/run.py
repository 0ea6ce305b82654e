"""run, score, report and compare."""

from pathlib import Path
from typing import Annotated, Any

import typer

from evals.commands.common import stop, told
from evals.compare import compare as compared
from evals.compare import lines
from evals.folder import Run, find_run, new_folder
from evals.table import console

JudgeName = Annotated[str, typer.Option(help="offline, local, chat:PROVIDER:MODEL[@URL] or path:FOLDER.")]
Scifact = Annotated[Path | None, typer.Option(help="Folder with SciFact; without it that task is not run.")]


def _show(report: dict[str, Any], folder: Path) -> None:
    from evals.report.tables import block_table, systems_table
    from evals.report.words import headline, readers

    out = console()
    for line in (*headline(report["hallucination"]), *readers(report["labels"])):
        out.print(line)
    out.print(systems_table(report))
    for one in block_table(report):
        out.print(one)
    for name, why in report["not_run"].items():
        out.print(f"not run: {name} ({why})")
    for name, times in report["failures"].items():
        out.print(f"failed outputs: {name} {times}")
    typer.echo(f"report: {folder / 'report.html'}")


def _told_limits(report: dict[str, Any]) -> bool:
    from evals.thresholds import findings, read_thresholds

    found = findings(report, read_thresholds())
    for one in found:
        typer.echo(f"{one.kind}: {one.line}", err=one.kind == "failed")
    return any(one.kind == "failed" for one in found)


def run(
    tasks: Annotated[list[str] | None, typer.Argument(help="Tasks to run; all where none is named.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="PlainCite only, without what takes long.")] = False,
    judge: JudgeName = "offline",
    scifact: Scifact = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; one that was broken off goes on.")] = None,
    open_lockbox: Annotated[bool, typer.Option("--open-lockbox", help="List the sealed cases. Logged.")] = False,
    why: Annotated[str, typer.Option(help="Why the lock box is opened; goes into the log.")] = "",
) -> None:
    """Generate, score, judge and report; exit 1 when a limit is passed."""
    from evals.session import Wanted, execute
    from evals.tasks import TASKS

    unknown = [name for name in tasks or () if name not in TASKS]
    if unknown:
        raise stop(f"no task {unknown[0]!r}: {', '.join(TASKS)}")
    with told():
        if open_lockbox:
            _open_lockbox(why)
        folder = new_folder("run", out)
        report = execute(folder, Wanted(tuple(tasks or ()), quick, judge, scifact))
    _show(report, folder)
    if _told_limits(report):
        raise typer.Exit(1)


def _open_lockbox(why: str) -> None:
    from evals.cases import lockbox_cases, log_look
    from server import __version__

    if not why.strip():
        raise stop("--open-lockbox needs --why: it goes into the log")
    looks = log_look(__version__, why)
    typer.echo(f"Look {looks.count} at the lock box, logged.")
    for case in lockbox_cases():
        typer.echo(f"{case.id} [{case.expected_behaviour.value}] {' / '.join(case.messages)}")


def score(
    name: Annotated[str, typer.Argument(help="Run folder, or its name under evals/results.")],
    judge: Annotated[str | None, typer.Option(help="Another judge than the run's.")] = None,
    scifact: Scifact = None,
) -> None:
    """Score a run anew from what it generated, and write its report."""
    from evals.session import rescore

    with told():
        made = Run(find_run(name))
        report = rescore(made, judge, scifact)
    _show(report, made.folder)


def report(name: Annotated[str, typer.Argument(help="Run folder, or its name under evals/results.")]) -> None:
    """Print a run's report and write report.html anew from report.json."""
    from evals.report.html import write_html
    from evals.thresholds import failed, read_thresholds

    with told():
        made = Run(find_run(name))
        write_html(made.folder, made.report, failed(made.report, read_thresholds()))
    _show(made.report, made.folder)


def compare(
    first: Annotated[str, typer.Argument(help="Run A, the earlier one.")],
    second: Annotated[str, typer.Argument(help="Run B, the later one.")],
) -> None:
    """Two runs case by case: what got worse, what got better; exit 1 when anything got worse."""
    with told():
        found = compared(Run(find_run(first)), Run(find_run(second)))
    for line in lines(found):
        typer.echo(line)
    if any(one.worse for one in found):
        raise typer.Exit(1)
