"""Words in common: how far a passage holds the words of a claim. What scores support until a trained model does.

It tells a sentence about something else, and little more: an error that uses the passage's words passes.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
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


@dataclass(frozen=True, slots=True)
class Support:
    """How far a passage supports a claim, 0 to 1."""

    score: float


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


class WordsInCommon:
    """Scores support by words. `threshold`: under it a sentence is dropped; `enough`: from it a row is supported."""

    threshold = 0.2
    enough = 0.5

    def __init__(self) -> None:
        # Verdicts that are kept are known by this: another way of scoring makes them anew.
        self.digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()

    def support(self, passage: str, claims: Sequence[str]) -> list[Support]:
        """How far one passage supports each claim."""
        held = content_words(passage)
        wanted = [content_words(claim) for claim in claims]
        return [Support(len(words & held) / len(words) if words else 0.0) for words in wanted]


@cache
def load() -> WordsInCommon:
    """What scores support, loaded once."""
    return WordsInCommon()
