"""Every number, dose, unit, count and date in a sentence must stand in a cited passage."""

import re
from typing import NamedTuple

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_OTHER = {
    "single": "1",
    "once": "1",
    "twice": "2",
    "half": "0.5",
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "hundred": "100",
}
WORDS = {word: str(value) for value, word in enumerate(_SMALL.split())} | _OTHER

_UNITS = {
    "percent": r"%|percent|per cent",
    "dose_by_weight": r"mg ?/ ?kg|milligrams? per kilogram",
    "mg": r"mg|milligrams?",
    "minute": r"minutes?|min\b",
    "hour": r"hours?|h\b",
    "day": r"days?",
    "week": r"weeks?",
    "month": r"months?",
    "year": r"years?(?: old)?",
    "point": r"points?",
    "person": r"(?:[a-z\-]+ ){0,3}(?:people|veterans?|adults?|patients?|participants?|persons?|soldiers?|men|women)",
    "infusion": r"(?:[a-z\-]+ ){0,2}(?:infusions?|drips?|doses?)",
    "trial": r"(?:[a-z\-]+ ){0,2}(?:trials?|studies|study)",
}
_UNIT = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _UNITS.items()), re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![\w.])[+\-−]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.,])[+\-−]?(?:\d+(?:\.\d+)?|\.\d+)(?![\w]*\d)"
    r"|\b(?:" + "|".join(WORDS) + r")\b",
    re.IGNORECASE,
)
# A pronoun or an idiom, not a count.
_NOT_A_COUNT = re.compile(
    r"\b(?:no one|any ?one|some ?one|every ?one|one another|this one|that one|the one|one day\b(?= you)|"
    r"one of|only one side|not one|which one|for one person|in one clause|one or (?:the )?other|zero in)\b",
    re.IGNORECASE,
)
# A number that is part of a name ("PCL-5", "IES-R", "mTORC1", "C1") says nothing by itself.
_NAMES = re.compile(r"\b[A-Za-z]+-?\d+[A-Za-z]*\b|\b\d+-\d+(?=-\d)", re.IGNORECASE)


# A bare number supports a count, never a share or a dose.
_EXACT = frozenset({"percent", "mg", "dose_by_weight"})


class Figure(NamedTuple):
    """A number as written canonically ("12.7", "0.5") and the kind of unit that follows it, or None."""

    value: str
    unit: str | None


def canonical(number: str) -> str:
    """'12.70' and '.5' and 'twelve' in one form; a minus sign is dropped, since prose often carries it in words."""
    lowered = number.lower().lstrip("+-−").replace(",", "")
    lowered = WORDS.get(lowered, lowered)
    value = float(lowered)
    return str(int(value)) if value == int(value) else repr(value)


def figures(text: str) -> list[Figure]:
    """Every figure in the text, in order. Ranges ("2 to 5", "0.63-1.04") give both ends."""
    text = _NOT_A_COUNT.sub(" ", text)
    text = _NAMES.sub(lambda m: " " if m.group()[0].isalpha() else m.group(), text)
    text = re.sub(r"(?<=\d)[-–](?=[\d.])", " to ", text)
    found = []
    for match in _NUMBER.finditer(text):
        unit = _UNIT.match(text, match.end() + len(re.match(r"[\s\-]*", text[match.end() :]).group()))  # type: ignore[union-attr]
        if match.group().lower() == "one" and unit is None:
            continue  # "one idea", "the main one": a pronoun or an article, not a count
        found.append(Figure(canonical(match.group()), unit.lastgroup if unit else None))
    return found


def _matches(figure: Figure, held: list[Figure]) -> bool:
    same = [other.unit for other in held if other.value == figure.value]
    if figure.unit is None or not same:
        return bool(same)
    if figure.unit in _EXACT:
        return figure.unit in same
    # A unit can only contradict where the passage gives its number a unit at every place.
    return figure.unit in same or None in same


def unsupported(sentence: str, passages: list[str]) -> list[Figure]:
    """The sentence's figures that none of its passages hold (percent and fraction of one are the same)."""
    held = [figure for passage in passages for figure in figures(passage)]
    held += [Figure(canonical(str(float(f.value) / 100)), None) for f in held if f.unit == "percent"]
    held += [Figure(canonical(str(float(f.value) * 100)), "percent") for f in held if f.unit is None and "." in f.value]
    return [figure for figure in figures(sentence) if not _matches(figure, held)]
