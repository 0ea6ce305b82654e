"""`python -m evals.training safety`, `support` and `judge`: from data to weights."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from evals.training.safety_data import FOLDER, MessagesError, is_validation
from evals.training.safety_sources import training_files, training_messages
from evals.training.support_data import PairsError, training_pairs
from server.corpus import load_corpora
from server.llm import ChatModelError
from server.paths import CORPUS
from server.screen.labels import LABELS
from server.screen.model import FOLDER as SHIPPED
from server.settings import load_settings

app = typer.Typer(help="Trains models.", no_args_is_help=True, add_completion=False)
FALSE_ALARMS = 0.08
SMOKE_MESSAGES = 64


@app.callback()
def _main() -> None:
    """Trains the models that PlainCite ships."""


@app.command()
def safety(
    data: Annotated[Path, typer.Option(help="Folder with train/ and test/ (JSON lines).")] = FOLDER,
    out: Annotated[Path, typer.Option(help="Folder of the weights.")] = SHIPPED,
    smoke: Annotated[bool, typer.Option("--smoke", help="A minute's trial on few messages; not for use.")] = False,
) -> None:
    """Train the model part of the safety screen, set its limits on a held-out tenth, and export what was measured."""
    import torch

    from evals.training import safety as training

    try:
        if not training_files(data):
            raise MessagesError(f"{data}: holds no train/*.jsonl")
        messages = training_messages(load_corpora(CORPUS)[load_settings().topic], data)
    except (MessagesError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    recipe = training.Recipe(epochs=1) if smoke else training.Recipe()
    if smoke:
        messages = messages[:: max(1, len(messages) // SMOKE_MESSAGES)]
    torch.set_num_threads(2)
    typer.echo(f"{len(messages)} messages: {dict(Counter(one.label for one in messages))}")
    held = [one for one in messages if is_validation(one)]
    rest = [one for one in messages if not is_validation(one)]
    net, coder = training.train(rest, recipe, typer.echo)
    weights = training.export(net, coder, out)
    measured = training.calibrate(out, recipe, held, training.telling_words(rest), FALSE_ALARMS)
    typer.echo(json.dumps(measured, indent=1))
    typer.echo(f"{weights}: {weights.stat().st_size / 1e6:.1f} MB, labels {', '.join(LABELS)}")


@app.command()
def support(
    data: Annotated[Path, typer.Option(help="Folder with train/ and test/ (JSON lines of pairs).")],
    out: Annotated[Path | None, typer.Option(help="Folder of the weights.")] = None,
    work: Annotated[Path | None, typer.Option(help="Folder of the checkpoints, from which a run goes on.")] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="A minute's trial on few pairs; not for use.")] = False,
) -> None:
    """Train the support verifier in six phases, export it in 4 bits, calibrate it and set its limit."""
    from evals.training import support_phases

    with _pairs_told():
        parts, dropped = training_pairs(data)
        typer.echo(f"left out, since a test file holds them: {dict(dropped) or 'none'}")
        measured = support_phases.make(
            parts, out or _place("support"), work or _place("checkpoints"), smoke, typer.echo
        )
    typer.echo(json.dumps(measured, indent=1))


@app.command()
def judge(
    data: Annotated[Path, typer.Option(help="Folder with train/ and test/ (JSON lines of pairs).")],
    out: Annotated[Path | None, typer.Option(help="Folder of the weights.")] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="A minute's trial on few pairs; not for use.")] = False,
) -> None:
    """Train the judge of `evals` on the rows that the verifier never sees."""
    from evals.training import support_phases

    with _pairs_told():
        parts, _ = training_pairs(data)
        measured = support_phases.make_judge(parts, out or _place("judge"), smoke, typer.echo)
    typer.echo(json.dumps(measured, indent=1))


def _place(name: str) -> Path:
    """Where weights that do not ship are kept."""
    return load_settings().data_dir / "training" / name


@contextmanager
def _pairs_told() -> Iterator[None]:
    """Data that cannot be used, or a base model that is not there, is one line and exit 2."""
    try:
        yield
    except (PairsError, ChatModelError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    app()
