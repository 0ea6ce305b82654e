"""One spelling for many disguises, so that a rule can be a plain phrase. Every step is linear in the text."""

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import unquote

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

_NOT = "do|does|did|is|are|was|were|has|have|had|could|would|should|must|need"
_CONTRACTIONS = {
    **{f"{verb}n't": f"{verb} not" for verb in _NOT.split("|")},
    **{f"{verb}nt": f"{verb} not" for verb in _NOT.split("|")},
    "can't": "can not", "cant": "can not", "cannot": "can not", "won't": "will not", "wont": "will not",
    "shan't": "will not", "ain't": "am not", "aint": "am not", "dnt": "do not", "cnt": "can not", "don": "do",
    "i'm": "i am", "im": "i am", "iam": "i am", "i'v": "i have", "i've": "i have", "ive": "i have",
    "i'll": "i will", "i'd": "i would", "ima": "i am going to", "imma": "i am going to",
    "it's": "it is", "that's": "that is", "thats": "that is", "what's": "what is", "whats": "what is",
    "where's": "where is", "wheres": "where is", "how's": "how is", "who's": "who is", "there's": "there is",
    "theres": "there is", "here's": "here is", "he's": "he is", "hes": "he is", "she's": "she is",
    "shes": "she is", "hed": "he would", "he'd": "he would", "she'd": "she would", "they'd": "they would", "let's": "let us", "you're": "you are", "youre": "you are", "we're": "we are",
    "they're": "they are", "theyre": "they are", "you've": "you have", "youve": "you have", "you'll": "you will",
    "we've": "we have", "they've": "they have", "you'd": "you would", "he'll": "he will", "she'll": "she will",
    "they'll": "they will", "it'll": "it will", "nobody's": "nobody is", "everyone's": "everyone is",
    "nothing's": "nothing is", "life's": "life is", "wanna": "want to", "wana": "want to", "wanto": "want to",
    "gonna": "going to", "gunna": "going to", "gona": "going to", "finna": "going to", "gotta": "got to",
    "tryna": "trying to", "dunno": "do not know", "idk": "i do not know", "idc": "i do not care",
    "kinda": "kind of", "sorta": "sort of", "outta": "out of", "lemme": "let me", "gimme": "give me",
    "should've": "should have", "shouldve": "should have", "could've": "could have", "couldve": "could have",
    "would've": "would have", "wouldve": "would have", "might've": "might have", "must've": "must have",
    "coulda": "could have", "shoulda": "should have", "'em": "them", "od'd": "overdosed", "od'ed": "overdosed",
}  # fmt: skip
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
    text = _LEET_TOKEN.sub(_unleet, text)
    text = _REPEATED.sub(r"\1\1", _REPEATED_VOWEL.sub(r"\1", text))
    text = _RUN.sub(_join, text)
    text = _WORD.sub(lambda match: _CONTRACTIONS.get(match[0], match[0]), text)
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
    core = word.rstrip("!|+")
    digits = sum(c.isdigit() for c in core)
    if core.isalpha() or not _LATIN.search(core) or _UNIT.fullmatch(core) or digits > len(core) // 2 + 1:
        return word
    return core.translate(_LEET) + word[len(core) :]


def _join(match: re.Match[str]) -> str:
    """Letters written apart, as one word; three letters only where the word is one that matters."""
    joined = match[0].replace(match[1], "")
    if joined[0] == "i" and joined[1:] in _TELLING:
        return f"i {joined[1:]}"
    return joined if len(joined) > 3 or joined in _SHORT_RUNS or match[1] != " " else match[0]


# Words that tell whether a text decoded some way is somebody's sentence.
_TELLING = frozenset(
    [
        "i",
        "to",
        "my",
        "me",
        "the",
        "a",
        "and",
        "want",
        "kill",
        "myself",
        "die",
        "dead",
        "life",
        "end",
        "suicide",
        "suicidal",
        "pills",
        "gun",
        "tonight",
        "am",
        "is",
        "not",
        "going",
        "hang",
        "hurt",
        "cut",
        "take",
        "took",
        "live",
        "alive",
        "of",
        "in",
        "how",
        "you",
        "your",
        "rules",
        "ignore",
        "instructions",
        "all",
        "will",
        "have",
    ]
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){8,}")
_LETTERS = re.compile(r"[a-z]+")


def variants(text: str) -> Iterator[str]:
    """The normalised text; then, where they look like sentences, its other readings (decoded, reversed)."""
    plain = normalise(text)
    yield plain
    single = _REPEATED_ONCE.sub(r"\1", text.lower()) if _REPEATED_ONCE.search(text.lower()) else ""
    if single:
        yield normalise(single)
    if "&#" in text or "%" in text or "&" in text:
        unescaped = unquote(html.unescape(text))
        if unescaped != text:
            yield normalise(unescaped)
    for decoded in _decoded(text):
        yield normalise(decoded)
    turned: tuple[Callable[[str], str], ...] = (
        lambda t: t[::-1],
        lambda t: " ".join(word[::-1] for word in t.split(" ")),
        lambda t: codecs.encode(t, "rot13"),
    )
    for turn in turned:
        other = turn(plain)
        if _tells(other) > max(1, _tells(plain)):
            yield normalise(other)


_REPEATED_ONCE = re.compile(r"([a-z])\1{2,}")


def _tells(text: str) -> int:
    """How many telling words of two letters or more the text has."""
    return sum(len(word) > 1 and word in _TELLING for word in _LETTERS.findall(text))


def _decoded(text: str) -> Iterator[str]:
    """What base64 and hexadecimal stretches say, where that is readable; lines of one block are read together."""
    for chunk in _BASE64.findall(text) + _BASE64.findall("".join(text.split()) if _one_block(text) else ""):
        body = chunk.rstrip("=").replace("-", "+").replace("_", "/")
        for cut in (body, body[: len(body) // 4 * 4]):
            try:
                raw = base64.b64decode(cut + "=" * (-len(cut) % 4), validate=True)
            except (binascii.Error, ValueError):
                continue
            yield from _readable(raw)
            break
    for chunk in _HEX.findall(text):
        yield from _readable(bytes.fromhex(re.sub(r"[^0-9a-fA-F]", "", chunk)))


def _one_block(text: str) -> bool:
    """Whether the whole text is base64 broken over lines or by spaces."""
    packed = "".join(text.split())
    return packed != text and len(packed) >= 12 and _BASE64.fullmatch(packed) is not None


def _readable(raw: bytes) -> Iterator[str]:
    """The bytes as text, if nearly all of it is printable."""
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        return
    if sum(c.isprintable() or c.isspace() for c in decoded) > 0.95 * len(decoded):
        yield decoded
