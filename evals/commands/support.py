"""support: the gate, the judge and simpler ways on the same pairs."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from evals.commands.common import stop, told
from evals.folder import new_folder, write_json
from server.verify.model import FOLDER


def support(
    data: Annotated[Path | None, typer.Option(help="Folder with test/*.jsonl; our own sets alone without it.")] = None,
    weights: Annotated[Path, typer.Option(help="Folder of the verifier; the one that ships without it.")] = FOLDER,
    judge: Annotated[Path | None, typer.Option(help="Folder of a trained judge.")] = None,
    scorer: Annotated[
        list[str] | None, typer.Option(help="Beside the gate only these: words, cosine, rules, prompted.")
    ] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", help="Only these sets.")] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write the model card of the verifier that ships anew.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for report.json and report.md.")] = None,
) -> None:
    """AUC, balanced accuracy, F1 and calibration by set, with 95 % intervals; errors by kind; drafts; speed."""
    from evals.labels import read_labels
    from evals.support import card
    from evals.support.drafts import through_the_gate
    from evals.support.load import SCORERS, load_scorers
    from evals.support.measure import measured
    from evals.support.sets import sets_to_test
    from evals.support.speed import measure
    from server.corpus import load_corpora
    from server.paths import CORPUS
    from server.settings import load_settings
    from server.verify.model import Verifier
    from server.verify.stage import Verify
    from server.verify.support import Supports
    from server.wording import load_wording

    unknown = set(scorer or ()) - set(SCORERS)
    if unknown:
        raise stop(f"no scorer {', '.join(sorted(unknown))}: choose from {', '.join(SCORERS)}")
    with told():
        corpus = load_corpora(CORPUS)[load_settings().topic]
        known = sets_to_test(data)
        missing = set(sets or ()) - {one.name for one in known}
        if missing:
            raise stop(f"no set {', '.join(sorted(missing))}: choose from {', '.join(one.name for one in known)}")
        if write and (weights != FOLDER or sets or data is None):
            raise stop("--write makes the shipped model's card, over all sets: it needs --data, no --weights, no --set")
        verifier = Verifier(weights)
        scorers = load_scorers(scorer or SCORERS, verifier, judge)
        options = ["--data DIR"] * (data is not None) + ["--judge DIR"] * (judge is not None)
        content: dict[str, Any] = {
            "command": " ".join(["python -m evals support", *options, *(f"--scorer {name}" for name in scorer or ())]),
            "speed": measure(corpus, weights),
            "drafts": through_the_gate(read_labels(), corpus, Verify(corpus, load_wording(), Supports(verifier))),
            "sets": measured(scorers, [one for one in known if not sets or one.name in sets], data, typer.echo),
        }
    typer.echo(json.dumps({"speed": content["speed"], "drafts": content["drafts"]}, indent=1))
    for line in card.lines(content):
        typer.echo(line)
    folder = new_folder("support", out)
    write_json(folder / "report.json", content)
    page = card.page(content, weights)
    (folder / "report.md").write_text(page, encoding="utf-8")
    if write:
        (FOLDER / "README.md").write_text(page, encoding="utf-8")
    typer.echo(f"report: {folder / 'report.md'}")
