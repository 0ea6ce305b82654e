"""Sources, passages and citations as views."""

import re
from collections.abc import Iterable
from typing import Any

from server.corpus import Corpus, Source
from server.reading_level import split_sentences
from server.turn import Passage
from server.verify.figures import canonical, figures
from server.wording import Wording

View = dict[str, Any]
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\w)")


def segmented(passage: str, sentence: str, best: int | None) -> list[View]:
    """The passage in segments: its sentence that bears the sentence out best, and the figures of both, are marked.

    `best` is that sentence's place; None where it is not known.
    """
    parts = split_sentences(passage)
    if best is None or not 0 <= best < len(parts) or len(parts) == 1:
        return [segment | {"best": False} for segment in marked(passage, sentence)]
    start = passage.find(parts[best])
    if start < 0:
        return [segment | {"best": False} for segment in marked(passage, sentence)]
    end = start + len(parts[best])
    cut = ((passage[:start], False), (passage[start:end], True), (passage[end:], False))
    return [segment | {"best": chosen} for text, chosen in cut for segment in marked(text, sentence)]


def marked(passage: str, sentence: str) -> list[View]:
    """The passage in segments, with the sentence's figures marked: [{"text": …, "mark": bool}, …]."""
    wanted = {figure.value for figure in figures(sentence)}
    segments, end = [], 0
    for match in _NUMBER.finditer(passage):
        if canonical(match.group().rstrip(",")) not in wanted:
            continue
        segments += [
            {"text": passage[end : match.start()], "mark": False},
            {"text": match.group(), "mark": True},
        ]
        end = match.end()
    segments.append({"text": passage[end:], "mark": False})
    return [segment for segment in segments if segment["text"]]


def passage_view(passage: Passage) -> View:
    """A passage with the key of its heading ("whose words")."""
    return {
        "id": passage.id,
        "section": passage.section,
        "words": passage.words,
        "words_label": passage.words,
        "text": passage.text,
    }


def source_view(source: Source, n: int, passages: Iterable[Passage], wording: Wording, study: bool = True) -> View:
    """A source with its labels explained, its study card and the given passages."""
    labels = wording.page["labels"]
    return {
        "n": n,
        "key": source.key,
        "name": source.name,
        "title": source.title or source.name,
        "authors": ", ".join(source.authors) or None,
        "year": source.year,
        "journal": source.journal,
        "url": source.url,
        "kind": source.kind,
        "people": source.people,
        "labels": [{"id": label, **labels[label]} for label in source.labels],
        "study": [point.model_dump() for point in source.study] if study else [],
        "passages": [passage_view(passage) for passage in passages],
        "later_version": source.later_version.model_dump() if source.later_version else None,
        "read_note": source.note,
    }


def citation_view(
    passage: Passage, sentence: str, n: int, dom_id: str, corpus: Corpus, best: int | None = None
) -> View:
    """A citation that opens the passage in place."""
    source = corpus.sources[passage.source]
    return {
        "n": n,
        "mark": f"[{n}]",
        "name": source.name,
        "source": source.key,
        "passage_id": passage.id,
        "dom_id": dom_id,
        "words_label": passage.words,
        "section": passage.section,
        "segments": segmented(passage.text, sentence, best),
        "url": source.url,
        "hash": passage.hash,
    }
