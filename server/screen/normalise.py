"""One spelling for many disguises, so that a rule can be a plain phrase. Every step is linear in the text."""

import re
import unicodedata
from collections.abc import Iterator

from server.screen.contractions import CONTRACTIONS
from server.screen.decode import TELLING, decoded, turned

# Latin letters that Cyrillic and Greek look-alikes stand for (lower case; accents are gone by then).
_LOOKALIKES = str.maketrans(
    "авеикмнорстухѕіјһԁԛԝӏьгпαβεηικνορτυχωγϲϳ",
    "abeukmhopctyxsijhdqwlbrnabenikvoptuxwycj",
)
_FOREIGN = re.compile(r"[\u0370-\u03ff\u0400-\u052f]")
_LATIN = re.compile(r"[a-z]")
_TYPOGRAPHY = str.maketrans({"‘": "'", "’": "'", "‚": "'", "‛": "'", "ʼ": "'", "`": "'", "´": "'", "′": "'",
                             "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-", "‐": "-",
                             "‑": "-", "−": "-", "…": "...", "đ": "d", "ł": "l", "ø": "o", "ı": "i", "ß": "ss",
                             "•": ".", "·": "."})  # fmt: skip


def _drawn_letters() -> dict[int, str]:
    """Letters drawn as small capitals or in boxes, which NFKC leaves alone."""
    drawn: dict[int, str] = {}
    for block in (
        range(0x1D00, 0x1D2C),
        range(0x0250, 0x02B0),
        range(0x1F150, 0x1F18A),
        range(0x1F1E6, 0x1F200),
    ):
        for point in block:
            match = re.search(
                r"(?:LETTER SMALL CAPITAL|NEGATIVE (?:CIRCLED|SQUARED) LATIN CAPITAL LETTER|SYMBOL LETTER) ([A-Z])$",
                unicodedata.name(chr(point), ""),
            )
            if match:
                drawn[point] = match[1].lower()
    return drawn


_DRAWN = _drawn_letters()

_WORD = re.compile(r"(?<![a-z0-9'])'?[a-z]+(?:'[a-z]+)?(?![a-z0-9])")

_LEET = str.maketrans("013457@$!|+", "oieastasilt")
_LEET_TOKEN = re.compile(r"[a-z0-9@$!|+]+")
_UNIT = re.compile(
    r"\d+(?:mgs?|mcg|ug|ml|kgs?|lbs?|g|k|m|f|x|yo|yrs?|y|years?|days?|weeks?|months?|hrs?|hours?|h|mins?|am|pm|st|nd"
    r"|rd|th|s|d|w|cc|ft|cm|ish|something|times|bpm|pct|vs|v|to\d+)"
)
_REPEATED_VOWEL = re.compile(r"([aeiou])\1{2,}")
_REPEATED = re.compile(r"([a-z])\1{2,}")
_RUN = re.compile(r"(?<![a-z0-9'])[a-z](?:([ .\-_*~])[a-z](?![a-z0-9']))(?:\1[a-z](?![a-z0-9']))+")
_SHORT_RUNS = frozenset({"die", "kms", "gun", "ctb", "end", "kys", "cut", "hang"})
_SLASHED = re.compile(r"(?<![a-z0-9/])(?:w/o|b/c|w/)(?![a-z0-9/])")
_SLASHES = {"w/o": "without", "b/c": "because", "w/": "with"}
_TALL_I = re.compile(r"(?<=[a-z])I+(?![A-Z])")
_SPACES = re.compile(r"\s+")


# What becomes of characters that nobody sees: spaces stay spaces, marks and controls go.
_INVISIBLE = {
    "Zs": " ",
    "Zl": " ",
    "Zp": " ",
    **dict.fromkeys(("Mn", "Me", "Cc", "Cf", "Cs", "Co", "Cn"), ""),
}


def _invisible(char: str) -> bool:
    return char not in "\n\t\r\v\f" and unicodedata.category(char) in _INVISIBLE


def normalise(text: str) -> str:
    """The text in lower case and plain letters, without disguises; punctuation stays."""
    text = unicodedata.normalize("NFKC", text).translate(_DRAWN)
    text = _TALL_I.sub(lambda match: "l" * len(match[0]), text).lower()
    text = unicodedata.normalize("NFD", text)
    text = text.translate({ord(c): _INVISIBLE[unicodedata.category(c)] for c in set(text) if _invisible(c)})
    text = _latinise(unicodedata.normalize("NFC", text).translate(_TYPOGRAPHY))
    text = _SLASHED.sub(lambda match: _SLASHES[match[0]], text)
    text = _LEET_TOKEN.sub(_unleet, text)
    text = _REPEATED.sub(r"\1\1", _REPEATED_VOWEL.sub(r"\1", text))
    text = _RUN.sub(_join, text)
    text = _WORD.sub(lambda match: CONTRACTIONS.get(match[0], match[0]), text)
    return _SPACES.sub(" ", text).strip()


def _latinise(text: str) -> str:
    """Look-alike letters to Latin in words that mix alphabets, or in words made of nothing else in a Latin text."""
    if not _FOREIGN.search(text) or not _LATIN.search(text):
        return text
    mostly_latin = len(_LATIN.findall(text)) > len(_FOREIGN.findall(text))

    def fold(word: str) -> str:
        if not _FOREIGN.search(word):
            return word
        latin = word.translate(_LOOKALIKES)
        return latin if _LATIN.search(word) or (mostly_latin and not _FOREIGN.search(latin)) else word

    return " ".join(fold(word) for word in text.split(" "))


def _unleet(match: re.Match[str]) -> str:
    """Digits and signs inside a word as the letters they stand for; amounts ("16mg", "2x") stay."""
    word = match[0]
    if word.isalpha():
        return word
    core = word.rstrip("!|+")
    digits = sum(c.isdigit() for c in core)
    if not _LATIN.search(core) or _UNIT.fullmatch(core) or digits > len(core) // 2 + 1:
        return word
    return core.translate(_LEET) + word[len(core) :]


def _join(match: re.Match[str]) -> str:
    """Letters written apart, as one word; three letters only where the word is one that matters."""
    joined = match[0].replace(match[1], "")
    if joined[0] == "i" and joined[1:] in TELLING:
        return f"i {joined[1:]}"
    return joined if len(joined) > 3 or joined in _SHORT_RUNS or match[1] != " " else match[0]


_REPEATED_ONCE = re.compile(r"([a-z])\1{2,}")


def variants(text: str) -> Iterator[str]:
    """The normalised text; then, where they look like sentences, its other readings (decoded, reversed)."""
    plain = normalise(text)
    yield plain
    lower = text.lower()
    if _REPEATED_ONCE.search(lower):
        yield normalise(_REPEATED_ONCE.sub(r"\1", lower))
    for reading in decoded(text):
        yield normalise(reading)
    for reading in turned(plain):
        yield normalise(reading)
