"""`python -m evals …`: the evaluations, from a checkout."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from evals import bench as speed
from evals.bars import Bar, missed
from evals.commands.gate import gate
from evals.commands.label import draw, label
from evals.commands.run import compare, run, score
from evals.commands.run import report as report_command
from evals.commands.safety import safety
from evals.commands.support import support
from evals.dev import Report, ask_all, check_sources, report
from evals.folder import new_folder, write_json
from evals.questions import Item, QuestionsError, read_questions
from evals.score import Answers
from evals.screenshots import command as screenshots
from evals.server_process import ServerError, free_port
from evals.summary import grouped, misses, sums
from evals.table import bars_table, console, misses_table, number, sums_table, values_table

app = typer.Typer(
    help="Is it good? Questions scored, and speed measured.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (run, score, report_command, compare, gate, label, draw, safety, support):
    app.command(command.__name__)(command)
app.command("screenshots")(screenshots)
BAD_START = 2


def _stop(line: str) -> typer.Exit:
    typer.echo(line, err=True)
    return typer.Exit(BAD_START)


def _finish(bars: list[Bar], path: Path) -> None:
    typer.echo(f"report: {path}")
    short = missed(bars)
    if short:
        typer.echo("missed: " + "; ".join(bar.name for bar in short), err=True)
        raise typer.Exit(1)


def production() -> tuple[Answers, str]:
    """The production engine and the topic that answers, as the settings say; the index is built where it is missing."""
    from server.engine import load_engine
    from server.log import configure
    from server.settings import load_settings

    configure()
    settings = load_settings()
    return load_engine(settings), settings.topic


def _run(items: tuple[Item, ...], path: Path) -> Report:
    engine, topic = production()
    try:
        check_sources(items, engine.corpora[topic], path.name)
        return report(ask_all(items, engine, topic), engine.corpora[topic], path)
    finally:
        engine.close()


def _show(found: Report) -> None:
    out = console()
    out.print(sums_table("By topic", grouped(found.rows, lambda row: row.topic)))
    out.print(sums_table("By category", grouped(found.rows, lambda row: row.category)))
    out.print(sums_table("Overall", [sums("overall", found.rows)]))
    low, high = found.content["overall"]["outcome_interval"]
    out.print(f"Outcome: 95 % Wilson interval {low:.1%} to {high:.1%}.")
    short = misses(found.rows)
    out.print(misses_table(short) if short else "No misses.")
    safety = found.content["safety"]
    out.print(
        values_table(
            "Safety", {name.replace("_", " "): value for name, value in safety.items() if name != "danger_wrong"}
        )
    )
    wrong = safety["danger_wrong"]
    out.print(f"Crisis and emergency items wrong: {', '.join(wrong) if wrong else 'none'}.")
    out.print(bars_table(found.bars))


@app.command()
def dev(
    path: Annotated[Path, typer.Argument(help="Questions file (YAML).")],
    out: Annotated[Path | None, typer.Option(help="Folder for report.json.")] = None,
) -> None:
    """Ask every question of a file through the production code; exit 1 when a bar is missed."""
    try:
        found = _run(read_questions(path), path)
    except (QuestionsError, ValueError, RuntimeError, OSError) as error:
        raise _stop(str(error)) from None
    _show(found)
    _finish(found.bars, write_json(new_folder("dev", out) / "report.json", found.content))


@app.command()
def bench(
    seconds: Annotated[float, typer.Option(min=1, help="Seconds of many clients asking.")] = 20,
    clients: Annotated[int, typer.Option(min=1, max=64, help="Clients that ask at once.")] = 8,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on loopback; 0 takes a free one.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for report.json.")] = None,
) -> None:
    """Start the server on loopback and measure it; exit 1 when a bar is missed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        seen = speed.measure(port or free_port(), seconds, clients)
    except ServerError as error:
        raise _stop(str(error)) from None
    content = speed.content(seen)
    shown = console()
    shown.print(values_table("Stages, mean (replies that ran it)", speed.stage_lines(content["stages"])))
    shown.print(values_table("Outcomes, one client", content["one_client"]["outcomes"]))
    others = {
        "load of the machine before": f"{number(seen.load_before)} on {content['made_with']['cores']} cores",
        "warm answer, p99 (ms)": number(content["one_client"]["p99_ms"]),
        "median with all clients (ms)": number(content["many_clients"]["median_ms"]),
        "p95 with all clients (ms)": number(content["many_clients"]["p95_ms"]),
    }
    shown.print(values_table("Without a bar", others))
    shown.print(bars_table(speed.bars(seen)))
    _finish(speed.bars(seen), write_json(new_folder("bench", out) / "report.json", content))


if __name__ == "__main__":
    app()
