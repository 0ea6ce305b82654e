"""No promotion, no invented rates, no relative risk, certainty words that fit the level (R2, R22, R27, R28, R31)."""

import re
from collections.abc import Iterator

_PROMOTION = re.compile(
    r"\b(?:leading|best|breakthrough|miracle|proven|cures?|cured|game.?changer|outweighs?|guaranteed?|revolutionary)\b",
    re.IGNORECASE,
)
# A denial or an attribution in the same sentence makes the word a report, not a claim (R2).
_DENIED = re.compile(
    r"\b(?:not|no|never|nothing|none|cannot|without|unsure|whether|known)\b|n't\b"
    r"|review(?:'s)? (?:says|calls|wording|own)|review's|says that",
    re.IGNORECASE,
)
_RATES = re.compile(r"\b(?:rare(?:ly)?|(?:very |un)?common(?:ly)?|unlikely|usually|frequent(?:ly)?)\b", re.IGNORECASE)
_RELATIVE = re.compile(
    r"\btimes (?:more|less) likely\b|\b\d+ ?% (?:lower|higher|less|more)\b|\bhalv(?:es|ed)\b", re.IGNORECASE
)
_SURE = re.compile(r"\b(?:proves?|confirms?|demonstrates?|clearly (?:helps|works|improves))\b", re.IGNORECASE)
_PEOPLE = re.compile(r"\b(?:subjects|sufferers?|failed treatment|committed suicide)\b", re.IGNORECASE)
_ADVICE = re.compile(r"\byou should (?:take|have|try|use|get|stop|start)\b|\bwe recommend\b", re.IGNORECASE)
_DOSE = re.compile(r"\d ?(?:mg|mcg|µg|milligrams?|micrograms?)\b|mg ?/ ?kg", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_LOW = frozenset({"low", "very_low"})


def problems(text: str, certainty: str | None = None) -> Iterator[str]:
    """What is wrong with the wording, one phrase each; `certainty` is the claim's level, where it has one."""
    for sentence in _SENTENCE.split(text):
        denied = bool(_DENIED.search(sentence))
        if (found := _PROMOTION.search(sentence)) and not denied:
            yield f"word of promotion {found.group()!r} (R2)"
        if found := _RATES.search(sentence):
            yield f"a rate in words, {found.group()!r} (R28)"
        if found := _RELATIVE.search(sentence):
            yield f"a relative risk, {found.group()!r} (R27)"
        if certainty in _LOW and (found := _SURE.search(sentence)) and not denied:
            yield f"{found.group()!r} is too sure for certainty {certainty!r} (R31)"
        if found := _PEOPLE.search(sentence):
            yield f"{found.group()!r}: say people (R22)"
        if found := _ADVICE.search(sentence):
            yield f"advice, {found.group()!r} (R21)"
        if found := _DOSE.search(sentence):
            yield f"a dose, {found.group()!r}; doses stand in the study card only"
