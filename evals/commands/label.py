"""label and draw: sentences for readers, and what readers say of them."""

from typing import Annotated

import typer

from evals.commands.common import told
from evals.folder import Run, find_run


def label(
    reader: Annotated[str, typer.Option(help="Your name in the files: letters, digits, hyphens.")],
    language_model: Annotated[bool, typer.Option("--language-model", help="The reader is a language model.")] = False,
) -> None:
    """Label sentences one by one; stop at any time and go on later."""
    from evals.labels.label import enrol
    from evals.labels.label import label as labelling
    from server.corpus import load_corpora
    from server.paths import CORPUS
    from server.settings import load_settings

    with told():
        enrol(reader, not language_model)
        corpus = load_corpora(CORPUS)[load_settings().topic]
        given = labelling(reader, corpus, typer.echo, lambda text: str(typer.prompt(text, default="")))
    typer.echo(f"{given} sentences labelled. Thank you.")


def draw(
    name: Annotated[str, typer.Argument(help="A run whose systems' sentences are drawn from.")],
    each: Annotated[int, typer.Option(min=1, help="Sentences of each system that writes freely.")] = 100,
) -> None:
    """Add sentences to be labelled: every reviewed one and planted error that is not there, and a sample of a run's."""
    from evals.labels import read_labels
    from evals.labels.draw import add, for_labelling
    from evals.labels.read import FOLDER
    from evals.report.content import replies
    from server.corpus import load_corpora
    from server.paths import CORPUS
    from server.settings import load_settings

    with told():
        corpus = load_corpora(CORPUS)[load_settings().topic]
        drawn = for_labelling(replies(Run(find_run(name))), corpus, each)
        known = read_labels().drawn
        added = add(drawn, known, FOLDER / "sentences.jsonl")
    typer.echo(f"{added} sentences added to evals/labels/sentences.jsonl")
