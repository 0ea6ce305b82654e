"""Grade by two formulas, Flesch-Kincaid and SMOG, with and without drug and study names (R13)."""

from collections.abc import Iterable
from math import sqrt

from server.reading_level import MIN_WORDS, grade, split_sentences, syllables, without_names, words

MANY = 3


def smog(text: str, names: Iterable[str] = (), min_words: int = MIN_WORDS) -> float | None:
    """SMOG grade (McLaughlin, 1969): 1.0430 * sqrt(words of 3+ syllables * 30 / sentences) + 3.1291.

    The formula was made for 30 sentences; on a short answer it is rough. None under `min_words` words.
    """
    sentences = split_sentences(text)
    counted = words(without_names(text, names))
    if len(counted) < min_words or not sentences:
        return None
    return 1.0430 * sqrt(sum(syllables(word) >= MANY for word in counted) * 30 / len(sentences)) + 3.1291


def grades(text: str, names: Iterable[str]) -> dict[str, float | None]:
    """Both formulas, without and with the names."""
    listed = tuple(names)
    return {
        "grade": grade(text, listed),
        "grade_with_names": grade(text),
        "smog": smog(text, listed),
        "smog_with_names": smog(text),
    }
