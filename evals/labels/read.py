"""Reads the labels: sentences as drawn, each reader's own file, and how disagreements were settled."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from evals.jsonl import T, read_lines
from evals.pairs import pair_key
from server.corpus import Corpus

FOLDER = Path(__file__).resolve().parent
LabelName = Literal["supported", "unsupported", "no_claim", "cannot_tell"]
LABELS: tuple[str, ...] = get_args(LabelName)
# What a label says of "this sentence is a hallucination"; None is not judged.
GOLD: Mapping[str, bool | None] = {"supported": False, "no_claim": False, "unsupported": True, "cannot_tell": None}


class LabelsError(ValueError):
    """A label file that cannot be used: one line that names the file, the line and the field."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Drawn(_Strict):
    """A sentence as it was drawn for labelling: from which system (or planted, of a kind), with its passages."""

    key: str
    sentence: str
    passages: tuple[str, ...]
    origin: str
    kind: str | None = None


class Label(_Strict):
    """One reader's label of one sentence."""

    key: str
    label: LabelName
    why: str = ""


class Reader(_Strict):
    """Who read: `is_person` is false for a language model."""

    name: str
    is_person: bool
    about: str = ""


@dataclass(frozen=True)
class Labelled:
    """All of it. `gold` holds the agreed or settled label by key; a key without one is not in it."""

    drawn: dict[str, Drawn]
    readers: tuple[Reader, ...]
    given: dict[str, dict[str, Label]]
    settled: dict[str, Label]

    @property
    def gold(self) -> dict[str, str]:
        """The settled label where there is one, else the one on which at least two readers agree."""
        found = {key: one.label for key, one in self.settled.items()}
        for key in self.drawn:
            votes = [labels[key].label for labels in self.given.values() if key in labels]
            if key not in found and len(votes) > 1 and len(set(votes)) == 1:
                found[key] = votes[0]
        return {key: str(label) for key, label in found.items()}

    def bad(self, key: str) -> bool | None:
        """Whether the labels call the sentence a hallucination; None where they do not say."""
        label = self.gold.get(key)
        return None if label is None else GOLD[label]

    def still_valid(self, corpus: Corpus) -> dict[str, Drawn]:
        """The drawn sentences whose passages still say what they said when they were labelled."""
        return {
            key: one
            for key, one in self.drawn.items()
            if all(p in corpus.passages for p in one.passages)
            and pair_key(one.sentence, [corpus.evidence(p) for p in one.passages]) == key
        }


def _rows(path: Path, kind: type[T]) -> list[T]:
    return [row for _, row in read_lines(path, kind, LabelsError)] if path.exists() else []


def _by_key(rows: list[Any], path: Path, known: Mapping[str, Drawn] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in rows:
        if row.key in found:
            raise LabelsError(f"{path.name}: {row.key}: labelled twice")
        if known is not None and row.key not in known:
            raise LabelsError(f"{path.name}: {row.key}: no such sentence")
        found[row.key] = row
    return found


def reader_file(folder: Path, name: str) -> Path:
    """Where a reader's labels lie."""
    return folder / f"reader-{name}.jsonl"


def read_readers(folder: Path = FOLDER) -> tuple[Reader, ...]:
    """The readers. Raises LabelsError."""
    path = folder / "readers.yaml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else []
        return tuple(Reader.model_validate(one) for one in raw or [])
    except (ValidationError, yaml.YAMLError, TypeError) as error:
        raise LabelsError(f"{path.name}: {str(error).splitlines()[0]}") from None


def read_labels(folder: Path = FOLDER) -> Labelled:
    """Every label. Raises LabelsError, one line."""
    path = folder / "sentences.jsonl"
    drawn: dict[str, Drawn] = _by_key(_rows(path, Drawn), path)
    readers = read_readers(folder)
    given = {}
    for reader in readers:
        own = reader_file(folder, reader.name)
        given[reader.name] = _by_key(_rows(own, Label), own, drawn)
    path = folder / "settled.jsonl"
    return Labelled(drawn, readers, given, _by_key(_rows(path, Label), path, drawn))
