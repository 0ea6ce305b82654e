"""The simplest scorer: the share of a claim's content words that its passage holds."""

import re
from functools import cache
from typing import Any

import Stemmer

_WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
_STOP = frozenset(
    (
        "a an and are as at be been but by can could did do does for from had has have he her his how i if in into "
        "is it its may might more most no nor not of on one only or our out she so some such than that the their "
        "them then there these they this those to up was we were what when where which who why will with would yet "
        "you your about also any"
    ).split()
)


@cache
def _stemmer() -> Any:
    return Stemmer.Stemmer("english")


def content_words(text: str) -> set[str]:
    """Stems of the words that carry meaning, numerals as written."""
    kept = [word for word in _WORD.findall(text.lower().replace(",", "")) if word not in _STOP]
    return set(_stemmer().stemWords(kept))


def overlap(claim: str, passage: str) -> float:
    """Share of the claim's content words found in the passage, 0 to 1; a claim without any gets 0."""
    wanted = content_words(claim)
    return len(wanted & content_words(passage)) / len(wanted) if wanted else 0.0
