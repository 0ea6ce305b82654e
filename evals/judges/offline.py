"""A judge that always runs: no model, no network, the same answer every time. It reads words, not meanings.

It looks for what the passages lack (figures, words) and for what they contradict (direction, negation, who was
studied, how sure). Its rules were set before any sentence was labelled; how often it errs stands in every report.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml

from evals.judges.base import Opinion

WORDS = Path(__file__).with_name("offline_words.yaml")
MIN_COVERED = 0.6
_GRAM = 4
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:[.,]\d+)*")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@cache
def _lists() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    return found


def _tokens(text: str) -> list[str]:
    plain = text.lower().replace("’", "'").replace(",", "").replace("'s", "")
    return _TOKEN.findall(plain)


@cache
def _numbers_in_words() -> dict[str, str]:
    return {word: number for number, words in _lists()["numbers"].items() for word in words}


def _numbers(text: str) -> set[str]:
    spelt = _numbers_in_words()
    found = {spelt.get(token, token) for token in _tokens(text) if token[0].isdigit() or token in spelt}
    return {number.rstrip("0").rstrip(".") if "." in number else number for number in found}


@cache
def _grams(word: str) -> frozenset[str]:
    return frozenset(word[i : i + _GRAM] for i in range(len(word) - _GRAM + 1)) or frozenset({word})


def _alike(word: str, other: str) -> bool:
    """Two forms of a word: most of the shorter one's letter groups are the other's too."""
    mine, theirs = _grams(word), _grams(other)
    return 2 * len(mine & theirs) > min(len(mine), len(theirs))


@cache
def _groups() -> dict[str, set[str]]:
    """Word → the groups of words that mean the same in this field."""
    groups: dict[str, set[str]] = {}
    for name, words in _lists()["same"].items():
        for word in words:
            groups.setdefault(word, set()).add(name)
    return groups


def _meanings(tokens: list[str]) -> set[str]:
    return {group for token in tokens for group in _groups().get(token, ())}


def covered(sentence: str, passages: str) -> float:
    """Share of the sentence's content words, 0 to 1, that the passages hold in some form or by the word list."""
    empty = set(_lists()["empty"]["words"])
    wanted = [token for token in dict.fromkeys(_tokens(sentence)) if token not in empty and token[0].isalpha()]
    held = set(_tokens(passages))
    meanings = _meanings(list(held))
    found = [w for w in wanted if w in held or _groups().get(w, set()) & meanings or any(_alike(w, h) for h in held)]
    return len(found) / len(wanted) if wanted else 0.0


def _cues(text: str, kind: str) -> set[str]:
    tokens = set(_tokens(text))
    return {name for name, words in _lists()[kind].items() if tokens & set(words)}


def _nearest(part: str, passages: str) -> str:
    """The passages' sentence that shares most words with a part of the sentence."""
    mine = set(_tokens(part))
    return max(_SENTENCE.split(passages), key=lambda s: len(mine & set(_tokens(s))))


def contradiction(sentence: str, passages: str) -> str | None:
    """What the passages seem to contradict, in few words; None where nothing does."""
    for kind in ("who", "drug"):
        alien = _cues(sentence, kind) - _cues(passages, kind)
        if alien:
            return f"{kind}: {', '.join(sorted(alien))} not in the passages"
    if _cues(passages, "animal") and not _cues(sentence, "animal") and not _cues(passages, "people"):
        return "a finding in animals told without saying so"
    if _cues(sentence, "sure") and not _cues(passages, "sure"):
        return "surer than the passages"
    for part in _SENTENCE.split(sentence):
        near = _nearest(part, passages)
        mine, theirs = _cues(part, "direction"), _cues(near, "direction")
        if mine and theirs and not mine & theirs:
            return "direction"
        if mine and bool(_cues(part, "negation")) != bool(_cues(near, "negation")):
            return "negation"
    return None


class OfflineJudge:
    """Figures, then contradictions, then coverage of words."""

    name = "offline rules"

    def judge(self, sentence: str, passages: Sequence[str]) -> Opinion:
        """Its opinion; unjudged without a word to go by."""
        whole = " ".join(passages)
        if not _tokens(sentence) or not whole.strip():
            return Opinion(None, "nothing to compare")
        lacking = _numbers(sentence) - _numbers(whole)
        if lacking:
            return Opinion(False, f"figure {', '.join(sorted(lacking))}")
        against = contradiction(sentence, whole)
        if against:
            return Opinion(False, against)
        share = covered(sentence, whole)
        return Opinion(share >= MIN_COVERED, f"{share:.0%} of its words")
