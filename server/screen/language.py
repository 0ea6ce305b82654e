"""Which language a message is in: English is the only one that PlainCite answers in (outcome `language`)."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

SURE = 0.75
MIN_WORDS = 2
MAX_ENGLISH = 0.25
MIN_FOREIGN_SCRIPT = 0.4
READ = 2_000  # characters that are enough to tell
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_CODES = "en ar de es fa fr hi it ja ko nl pl pt ru tl tr uk vi zh".split()
_ENGLISH = frozenset(
    "a about after again all am an and any are as ask at be because been before being better but by can could did do "
    "does doing don't done down drip each even ever every feel for from get getting give given go going good got had has "
    "have he help helped helps her here him his how i i'm if im in infusion into is it it's its just know last lasts life "
    "like long made make many me mean more most much my need never new no not now of off on one only or other our out over "
    "people really safe said same say says she should side since so some someone still study studies such take takes tell "
    "than that that's the their them then there these they thing think this those through time to too took trial try u up "
    "us use used very want wanted was way we well were what what's when where which while who why will with work worked "
    "works would year years yes you your effects treatment therapy tested trials versus vs".split()
)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_CODES)
    return identifier


def _foreign_script(text: str) -> bool:
    letters = [sign for sign in text if sign.isalpha()]
    return bool(letters) and sum(ord(sign) > 0x24F for sign in letters) / len(letters) >= MIN_FOREIGN_SCRIPT


def detect(text: str, names: Iterable[str] = ()) -> str | None:
    """Two-letter code of a language that is clearly not English, or None; `names` are the same in many languages."""
    text = text[:READ]
    if _foreign_script(text):
        return str(_identifier().classify(text)[0])
    found = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    known = {name.lower() for name in names}
    found = [word for word in found if word not in known]
    if len(found) < MIN_WORDS or sum(word in _ENGLISH for word in found) / len(found) >= MAX_ENGLISH:
        return None
    language, probability = _identifier().classify(" ".join(found))
    return str(language) if language != "en" and probability >= SURE else None
