"""Draws sentences to be labelled: reviewed ones, planted errors, and a random sample of what systems wrote."""

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path

from evals.hallucination import REVIEWED
from evals.labels.read import Drawn
from evals.pairs import Pair, distinct, pair, reviewed_pairs
from evals.systems import plaincite, verbatim
from evals.systems.reply import Reply, Said
from evals.tasks.verify import planted_errors
from server.corpus import Corpus

PLANTED = "planted"
SEED = 11


def sample(pairs: Iterable[Pair], origin: str, size: int, kind: str | None = None, seed: int = SEED) -> list[Drawn]:
    """At most `size` distinct pairs, drawn without regard to anything that could hint at a label."""
    ordered = sorted(pairs, key=lambda one: one.key)
    random.Random(seed).shuffle(ordered)
    return [
        Drawn(key=p.key, sentence=p.sentence, passages=p.passages, origin=origin, kind=kind) for p in ordered[:size]
    ]


def shuffled(drawn: Iterable[Drawn], seed: int = SEED) -> list[Drawn]:
    """All of them in one random order, so that a reader cannot tell where one comes from."""
    once = list({one.key: one for one in drawn}.values())
    random.Random(seed).shuffle(once)
    return once


def add(drawn: Iterable[Drawn], known: Mapping[str, Drawn], path: Path) -> int:
    """Appends the sentences that are not there yet; returns how many. Labels already given stay as they are."""
    fresh = [one for one in shuffled(drawn) if one.key not in known]
    with path.open("a", encoding="utf-8") as file:
        for one in fresh:
            file.write(json.dumps(one.model_dump(exclude_none=True), ensure_ascii=False) + "\n")
    return len(fresh)


def for_labelling(replies: Mapping[str, Iterable[tuple[str, Reply]]], corpus: Corpus, each: int) -> list[Drawn]:
    """Every reviewed sentence and planted error, and `each` distinct sentences of a system that writes freely."""
    drawn = sample(reviewed_pairs(corpus).values(), REVIEWED, len(corpus.claims))
    for planted in planted_errors().values():
        said = Said(planted.text, planted.passages, planted.passages)
        drawn += sample([pair(said, corpus)], PLANTED, 1, planted.kind)
    for system, answered in replies.items():
        if system not in (plaincite.NAME, verbatim.NAME):
            said_by = [said for _, reply in answered for said in reply.said]
            drawn += sample(distinct(said_by, corpus).values(), system, each)
    return drawn
