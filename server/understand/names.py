"""Which study and which subject a question names, by the aliases that the corpus gives."""

import re
from collections.abc import Iterable, Mapping
from functools import cache

from server.corpus import Corpus


@cache
def _pattern(alias: str) -> re.Pattern[str]:
    return re.compile(r"(?<!\w)" + re.escape(alias).replace(r"\ ", r"[\s\-]+") + r"(?:'s)?(?!\w)", re.IGNORECASE)


def _found(text: str, aliases: Mapping[str, Iterable[str]]) -> list[tuple[str, str]]:
    """(key, alias) pairs in the text; a longer alias uses up its words, so that a shorter one inside is not read."""
    pairs = sorted(((alias, key) for key, names in aliases.items() for alias in names), key=lambda p: -len(p[0]))
    found = []
    for alias, key in pairs:
        if _pattern(alias).search(text):
            text = _pattern(alias).sub(" ", text)
            found.append((key, alias))
    return found


def studies(text: str, corpus: Corpus) -> tuple[str, ...]:
    """Keys of the sources named; where an author is named, a general word ("the rat study") names nobody else."""
    found = _found(text, {key: source.aliases for key, source in corpus.sources.items()})
    authors = [key for key, alias in found if key.rstrip("0123456789") in alias.lower()]
    return tuple(dict.fromkeys(authors or [key for key, _ in found]))


def subject(text: str, corpus: Corpus) -> str | None:
    """Id of the first subject of coverage.yaml that the text names, or None."""
    found = _found(text, {key: entry.aliases for key, entry in corpus.subjects.items()})
    return found[0][0] if found else None
