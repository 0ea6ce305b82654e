"""Where the safety model's messages come from: our own files, the rules' examples, the corpus's example questions."""

from collections.abc import Iterator
from pathlib import Path

from evals.training.safety_data import FOLDER, Message, normalised, read_messages
from server.corpus import Corpus
from server.screen.labels import MEANINGS, NONE
from server.screen.rules import read
from server.turn import SAFETY

# The rules' categories whose messages the model tells apart under another name.
_BY_CATEGORY = {meaning.category: label for label, meaning in MEANINGS.items()} | {
    "overdose": "medical",
    "despair": "passive",
}


def from_rules(drug: str) -> Iterator[Message]:
    """Each rule's own examples, and what must not set it off."""
    for rule in read().rules:
        label = _BY_CATEGORY.get(rule.category, NONE) if rule.outcome in SAFETY else NONE
        for text in rule.examples:
            yield Message(label=label, kind=f"rule {rule.id}", text=text.replace("{drug}", drug))
        for text in rule.benign:
            yield Message(label=NONE, kind=f"not {rule.id}", text=text.replace("{drug}", drug))


def from_corpus(corpus: Corpus) -> Iterator[Message]:
    """Example questions of every kind that ends in no safety card."""
    for name, questions in corpus.examples.items():
        if corpus.briefs[name].outcome not in SAFETY:
            for text in questions:
                if text.strip():
                    yield Message(label=NONE, kind=f"question {name}", text=text)


def training_files(folder: Path = FOLDER) -> list[Path]:
    """Our own files that are for building."""
    return sorted((folder / "train").glob("*.jsonl"))


def held_out_files(folder: Path = FOLDER) -> list[Path]:
    """Our own files that are for testing only."""
    return sorted((folder / "test").glob("*.jsonl"))


def training_messages(corpus: Corpus, folder: Path = FOLDER) -> list[Message]:
    """All that the model is trained on, without any text of the test part."""
    sealed = {normalised(one) for one in read_messages(held_out_files(folder))}
    own = read_messages(training_files(folder))
    more = [*from_rules(corpus.topic.drug), *from_corpus(corpus)]
    unique = {normalised(one): one for one in reversed([*own, *more])}
    return [one for key, one in reversed(unique.items()) if key not in sealed]
