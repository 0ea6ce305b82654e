"""safety: the screen against the messages that others wrote, and the card that tells how it did."""

from pathlib import Path
from typing import Annotated, Any

import typer

from evals.commands.common import told

CARD = Path(__file__).resolve().parent.parent / "safety_card.md"


def safety(
    folder: Annotated[
        Path | None, typer.Option(help="Folder with messages; the test part where none is given.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write evals/safety_card.md anew.")] = False,
) -> None:
    """Every message of the test part through the screen: recall, right ending, false alarms, every miss in full."""
    from evals.safety_test import ask_screen, card, files_in, lines, summary
    from evals.systems.production import production
    from evals.training.safety_data import FOLDER, MessagesError, read_messages
    from server.turn import Message, Question

    with told(), production() as made:

        def question(messages: tuple[str, ...]) -> Any:
            return Question(tuple(Message("user", text) for text in messages), "US", topic=made.topic)

        try:
            seen = [
                one
                for path in files_in(folder or FOLDER / "test")
                for one in ask_screen(read_messages([path]), path.stem, made.stages["screen"], question)
            ]
        except MessagesError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from None
    found = summary(seen)
    for line in lines(found):
        typer.echo(line)
    if write:
        CARD.write_text(card(seen, found), encoding="utf-8")
        typer.echo(f"written: {CARD.name}")
