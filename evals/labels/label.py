"""`python -m evals label`: a reader labels sentences in the terminal; every label is on disk as soon as it is given."""

import json
from collections.abc import Callable
from pathlib import Path

import yaml

from evals.labels.read import FOLDER, LabelName, LabelsError, Reader, read_labels, reader_file
from server.corpus import Corpus

KEYS: dict[str, LabelName] = {"s": "supported", "u": "unsupported", "n": "no_claim", "c": "cannot_tell"}
ASK = "s supported · u unsupported · n no claim · c cannot tell · g guidelines · q stop"
Say = Callable[[str], None]
Read = Callable[[str], str]


def enrol(name: str, is_person: bool, folder: Path = FOLDER) -> None:
    """Adds the reader where new. Raises LabelsError for a name that cannot be a file's or is another kind of reader."""
    if not name.replace("-", "").isalnum() or not name.isascii():
        raise LabelsError(f"reader {name!r}: letters, digits and hyphens only")
    path = folder / "readers.yaml"
    readers = [one.model_dump() for one in read_labels(folder).readers]
    known = next((one for one in readers if one["name"] == name), None)
    if known is not None:
        if known["is_person"] != is_person:
            raise LabelsError(
                f"reader {name!r} is listed as {'a person' if known['is_person'] else 'a language model'}"
            )
        return
    readers.append(Reader(name=name, is_person=is_person).model_dump())
    path.write_text(yaml.safe_dump(readers, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _ask(say: Say, read: Read, guidelines: str) -> LabelName | None:
    while True:
        key = read(ASK).strip().lower()
        if key == "q":
            return None
        if key == "g":
            say(guidelines)
        elif key in KEYS:
            return KEYS[key]
        else:
            say("Please type one of: s, u, n, c, g, q.")


def label(name: str, corpus: Corpus, say: Say, read: Read, folder: Path = FOLDER) -> int:
    """Shows each sentence not yet labelled, with its passages and nothing else; returns how many were labelled."""
    labelled = read_labels(folder)
    own = labelled.given.get(name, {})
    guidelines = (folder / "guidelines.md").read_text(encoding="utf-8")
    waiting = [one for key, one in labelled.still_valid(corpus).items() if key not in own]
    say(guidelines)
    given = 0
    for one in waiting:
        say(f"\n{given + 1} of {len(waiting)}\n\nPassages:")
        for passage in one.passages:
            say(f"  {corpus.evidence(passage)}\n")
        say(f"Sentence:\n  {one.sentence}\n")
        chosen = _ask(say, read, guidelines)
        if chosen is None:
            break
        why = "" if chosen == "supported" else read("Why, in a few words").strip()
        with reader_file(folder, name).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": one.key, "label": chosen, "why": why}, ensure_ascii=False) + "\n")
        given += 1
    return given
