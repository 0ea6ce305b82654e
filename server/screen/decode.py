"""What a text says when it is read another way: base64, hexadecimal, web escapes, backwards, rot13."""

import base64
import binascii
import codecs
import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

# Words that tell whether a text read another way is somebody's sentence.
TELLING = frozenset(
    "i to my me the a and want kill myself die dead life end suicide suicidal pills gun tonight am is not going hang "
    "hurt cut take took live alive of in how you your rules ignore instructions all will have hate feel".split()
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){8,}")
_LETTERS = re.compile(r"[a-z]+")
_TURNS: tuple[Callable[[str], str], ...] = (
    lambda text: text[::-1],
    lambda text: " ".join(word[::-1] for word in text.split(" ")),
    lambda text: codecs.encode(text, "rot13"),
)


def turned(plain: str) -> Iterator[str]:
    """The normalised text backwards (whole, or word by word) or in rot13, where that tells more than it does as is."""
    for turn in _TURNS:
        other = turn(plain)
        if _tells(other) > max(1, _tells(plain)):
            yield other


def decoded(text: str) -> Iterator[str]:
    """What escapes, base64 and hexadecimal stretches say, where that is readable."""
    if "&" in text or "%" in text:
        unescaped = unquote(html.unescape(text))
        if unescaped != text:
            yield unescaped
    packed = "".join(text.split())
    block = packed if packed != text and _BASE64.fullmatch(packed) else ""  # one block broken over lines
    for chunk in _BASE64.findall(f"{text} {block}"):
        yield from _from_base64(chunk)
    for chunk in _HEX.findall(text):
        yield from _readable(bytes.fromhex(re.sub(r"[^0-9a-fA-F]", "", chunk)))


def _from_base64(chunk: str) -> Iterator[str]:
    body = chunk.rstrip("=").replace("-", "+").replace("_", "/")
    for cut in (body, body[: len(body) // 4 * 4]):
        try:
            raw = base64.b64decode(cut + "=" * (-len(cut) % 4), validate=True)
        except (binascii.Error, ValueError):
            continue
        yield from _readable(raw)
        return


def _tells(text: str) -> int:
    """How many telling words of two letters or more the text has."""
    return sum(len(word) > 1 and word in TELLING for word in _LETTERS.findall(text))


def _readable(raw: bytes) -> Iterator[str]:
    """The bytes as text, if nearly all of it is printable."""
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        return
    if sum(c.isprintable() or c.isspace() for c in decoded) > 0.95 * len(decoded):
        yield decoded
