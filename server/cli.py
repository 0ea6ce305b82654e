"""The command line: plaincite serve | index | ask | support | corpus."""

import json
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn

from server.corpus import CorpusError
from server.log import configure
from server.paths import CORPUS
from server.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from server.engine import Engine

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Plain answers, every study sentence tied to a passage."
)
corpus_app = typer.Typer(no_args_is_help=True, help="The corpus.")
app.add_typer(corpus_app, name="corpus")
errors = Console(stderr=True)


def _fail(line: str) -> NoReturn:
    typer.echo(line, err=True)
    raise typer.Exit(2)


def _settings() -> Settings:
    try:
        settings = load_settings()
    except SettingsError as error:
        _fail(str(error))
    if not (CORPUS / settings.topic / "topic.yaml").is_file():
        _fail(f"PLAINCITE_TOPIC: no topic {settings.topic!r} under corpus/")
    return settings


def _loader(settings: Settings) -> "Engine":
    """Loads the engine, with a progress bar while texts are embedded."""
    from server.engine import load_engine

    with Progress(console=errors, transient=True) as bar:
        task = bar.add_task("Loading", total=None)
        return load_engine(
            settings, lambda done, total: bar.update(task, description="Index", completed=done, total=total)
        )


@app.command()
def serve(host: str = "127.0.0.1", port: int = 8000, workers: Annotated[int, typer.Option(min=1, max=64)] = 1) -> None:
    """Serve the pages and the API."""
    import uvicorn

    from server.app import create_app

    configure()
    settings = _settings()
    try:
        created = create_app(settings, _loader)
    except (SettingsError, CorpusError) as error:
        _fail(str(error))
    typer.echo(f"PlainCite on http://{host}:{port}", err=True)
    if workers > 1:
        uvicorn.run("server.app:create_app", factory=True, host=host, port=port, workers=workers, access_log=False)
        return
    uvicorn.run(created, host=host, port=port, access_log=False, log_level="warning", timeout_graceful_shutdown=30)


@app.command()
def index(force: Annotated[bool, typer.Option(help="Embed everything again.")] = False) -> None:
    """Bring the vector store up to date with the corpus."""
    from server.corpus import load_corpora
    from server.embedding import Embedder
    from server.index import Index

    configure()
    settings = _settings()
    corpora = load_corpora(CORPUS)
    store = Index(settings.data_dir, Embedder(), settings.chroma_url)
    with Progress(console=errors) as bar:
        for topic, corpus in corpora.items():
            task = bar.add_task(topic, total=None)

            def shown(done: int, total: int, task: int = int(task)) -> None:
                bar.update(task, completed=done, total=total)  # type: ignore[arg-type]

            embedded = 0 if not force and store.is_ready(corpus) else store.build(corpus, shown, force)
            bar.update(task, completed=1, total=1)
            bar.console.print(f"{topic}: {embedded} texts embedded" if embedded else f"{topic}: up to date")


@app.command()
def ask(
    question: str,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole response as JSON.")] = False,
    country: Annotated[str | None, typer.Option(help="Two letters, for help lines.")] = None,
    level: Annotated[str, typer.Option(help="plain or clinician")] = "plain",
) -> None:
    """Ask one question in the terminal."""
    from server.engine import load_engine
    from server.render import to_api, to_view
    from server.render.terminal import show
    from server.routes.body import Refused, parse

    configure()
    settings = _settings()
    body = {"messages": [{"role": "user", "content": question}], "level": level, "country": country}
    try:
        asked = parse(json.dumps(body).encode(), False, [settings.topic], settings.topic)
    except Refused as error:
        _fail("; ".join(f"{p['field']}: {p['problem']}" for p in error.problems))
    with errors.status("Loading…"):
        engine = load_engine(settings)
    turn = engine.ask(asked)
    view = to_view(turn, engine.corpora[asked.topic], engine.wording)
    if as_json:
        typer.echo(json.dumps(to_api(view), ensure_ascii=False, indent=2))
    else:
        show(view, level == "clinician")
    engine.close()


@app.command()
def support(
    source: Annotated[
        Path | None, typer.Option("--in", help="JSON lines {premise, claim}; standard input without it.")
    ] = None,
    target: Annotated[Path | None, typer.Option("--out", help="Where the rows go; standard output without it.")] = None,
) -> None:
    """Score how far premises support claims, row by row.

    Bad rows are told by line number and left out; exit 1 if there were any.
    """
    from server.verify.model import load
    from server.verify.rows import scored

    problems, stopped = 0, None
    scorer = load()
    with Progress(
        TextColumn("Rows"), MofNCompleteColumn(), console=errors, transient=True, disable=not errors.is_terminal
    ) as bar:
        task = bar.add_task("Rows", total=None)

        def bad(line: str) -> None:
            nonlocal problems
            problems += 1
            bar.console.print(line, markup=False, highlight=False, soft_wrap=True)

        try:
            with (
                source.open(encoding="utf-8") if source else nullcontext(sys.stdin) as rows,
                target.open("w", encoding="utf-8") if target else nullcontext(sys.stdout) as out,
            ):
                for row in scored(rows, scorer, bad):
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")
                    bar.advance(task)
        except UnicodeDecodeError:
            stopped = "the rows are not readable as UTF-8"
        except OSError as error:
            stopped = str(error)
    if stopped:
        _fail(stopped)
    if problems:
        typer.echo(f"{problems} bad row{'s were' if problems > 1 else ' was'} left out", err=True)
        raise typer.Exit(1)


@corpus_app.command()
def check() -> None:
    """Lint the corpus: exit 1 and one line a defect."""
    from server.corpus.check import check_folder, unverified_numbers

    defects = check_folder(CORPUS)
    for defect in defects:
        typer.echo(defect)
    for line in unverified_numbers(datetime.now(UTC).date()):
        typer.echo(f"note: {line}", err=True)
    if defects:
        raise typer.Exit(1)
    typer.echo("corpus: no defect", err=True)


def main() -> None:
    """Entry point. A corpus or weights that cannot be read are told in plain lines, never as a trace."""
    from server.embedding import WeightsError
    from server.screen.model import ModelError
    from server.verify.model import VerifierError

    try:
        app()
    except (CorpusError, ModelError, VerifierError, WeightsError) as error:
        typer.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
