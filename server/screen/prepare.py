"""The last step before the rules: words between single spaces, sentence ends as lone dots, slips repaired."""

import re
from collections.abc import Iterable, Mapping


def spelling_table(listed: Mapping[str, Iterable[str]], fuzzy: Iterable[str], drug: str) -> dict[str, str]:
    """Misspelled word to word: those listed, and everything one slip away from fuzzy words and long drug names."""
    names = [name for name in drug.split("|") if len(name) > 6 and name.isalpha()]
    near = (*names, *fuzzy)
    right = {*near, *listed}
    slips = {slip: word for word in near for slip in _slips(word) if slip not in right}
    return slips | {wrong: word for word, wrongs in listed.items() for wrong in wrongs}


def _slips(word: str) -> set[str]:
    """Every word one slip away that keeps the first letter."""
    letters = "abcdefghijklmnopqrstuvwxyz*"
    cuts = [(word[:i], word[i:]) for i in range(1, len(word) + 1)]
    dropped = {a + b[1:] for a, b in cuts if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    changed = {a + c + b[1:] for a, b in cuts if b for c in letters}
    added = {a + c + b for a, b in cuts for c in letters if c != "*"}
    return (dropped | swapped | changed | added) - {word, word + "s"}


_DECIMAL = re.compile(r"(\d)[.,](\d)")
_ENDS = re.compile(r"[.!?;:。！？؟]+")
_BREAKS = re.compile(r"[^\w\s.*%+\0]+|_")
_PICTURES: dict[int, str] = {
    ord(sign): f" {word} "
    for sign, word in {
        "🔫": "gun",
        "💊": "pills",
        "🔪": "knife",
        "🪦": "grave",
        "⚰": "grave",
        "🩸": "blood",
    }.items()
}


def prepare(text: str, spelling: Mapping[str, str]) -> str:
    """Normalised text as words between single spaces, sentence ends as lone dots, misspellings repaired."""
    text = _DECIMAL.sub(r"\1\0\2", text.translate(_PICTURES))
    text = _ENDS.sub(" . ", text.replace("'", "").replace('"', " "))
    text = _BREAKS.sub(" ", text).replace("\0", ".")
    return " . " + " ".join(spelling.get(word, word) for word in text.split()) + " . "


_FILLERS = frozenset(
    "really literally honestly actually just fucking fuckin fking freaking frigging damn goddamn seriously truly legit "
    "lowkey highkey basically simply totally absolutely completely very so probably maybe even pretty super".split()
)


def without_fillers(prepared: str) -> str:
    """The prepared text without words that only add stress, so that "i just really want to" is "i want to"."""
    words = prepared.split(" ")
    kept = [word for word in words if word not in _FILLERS]
    return prepared if len(kept) == len(words) else " ".join(kept)
