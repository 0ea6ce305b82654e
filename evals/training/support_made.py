"""Invented studies from `support/made.yaml`: what a sentence claims is known by how it was built.

Each study draws one value for every slot. Its passage tells the true values; a claim is supported where it tells a true
value with the true entities, and not where it tells another value, or one entity is another.
"""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

SOURCE = Path(__file__).parent / "support" / "made.yaml"
STUDIES: Mapping[str, int] = {"train": 700, "test": 90}
SHIFTED = 4  # one sentence in so many is kept for the test part
CLAIMS = 16
HEADED = 0.5

PartName = Literal["train", "test"]
# What stands in for an entity, and the kind of error that this makes.
OTHERS = {
    "drug": ("other_drug", "drug"),
    "control": ("other_control", "comparator"),
    "people": ("other_people", "population"),
    "condition": ("other_condition", "population"),
    "main_time": ("other_time", "time"),
    "late_time": ("other_time", "time"),
    "harm": ("other_harm", "finding"),
    "second": ("other_second", "finding"),
    "place": ("other_place", "finding"),
}
FIGURES = ("n", "n_drug", "n_control", "p_drug", "p_control", "p_near", "h_drug", "h_control", "d_drug", "d_control")
SWAPS = (("drug", "control"), ("p_drug", "p_control"), ("h_drug", "h_control"))
NO_CONTROL = frozenset({"single_arm"})
_NAME = re.compile(r"{(\w+)}")
_UNEVEN = re.compile(r"\bthan\b|\bless often|\bbetter with|\bleave early|came off|in {h_drug}")
_THE_A = re.compile(r"\b([Tt]he) an? ")
_PEOPLE = re.compile(r"\bpeople\b", re.IGNORECASE)
_DENIES = re.compile(r"\b(no|not|nothing|nobody|cannot|without)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Made:
    """One invented claim held against an invented passage."""

    passage: str
    claim: str
    supported: bool
    kind: str


@cache
def _source() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return found


def _mine(sentences: list[Any], part: PartName) -> list[Any]:
    """The sentences of a list that belong to the part."""
    return [one for place, one in enumerate(sentences) if (place % SHIFTED == SHIFTED - 1) == (part == "test")]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def fill(sentence: str, facts: Mapping[str, str]) -> str:
    """The sentence with its entities; `{name_c}` begins with a capital, and so does the sentence."""
    filled = _NAME.sub(lambda m: facts.get(m[1]) or _upper(facts[m[1].removesuffix("_c")]), sentence)
    return _upper(_THE_A.sub(r"\1 ", filled))


def _facts(part: PartName, draw: random.Random) -> dict[str, str]:
    listed = _source()["entities"][part]
    facts = {name: draw.choice(some) for name, some in listed.items()}
    for name, (other, _) in OTHERS.items():
        if not name.endswith("_time"):  # any entity may be the true one, or no word would ever be heard in a true claim
            facts[name], facts[other] = draw.sample([*listed[name], *listed[other]], 2)
    n_drug, n_control = draw.randint(8, 140), draw.randint(8, 140)
    p_control = draw.randint(8, 45)
    p_drug = p_control + draw.randint(14, 40)
    h_control, d_control = draw.randint(1, 20), draw.randint(0, 4)
    figures = {
        "n": n_drug + n_control,
        "n_drug": n_drug,
        "n_control": n_control,
        "p_drug": p_drug,
        "p_control": p_control,
        "p_near": p_drug + draw.choice([-3, -2, -1, 1, 2, 3]),
        "h_drug": h_control + draw.randint(6, 35),
        "h_control": h_control,
        "d_drug": d_control + draw.randint(2, 9),
        "d_control": d_control,
    }
    return facts | {name: str(value) for name, value in figures.items()}


def _values(facts: Mapping[str, str], draw: random.Random) -> dict[str, str]:
    """One value for every slot; a study without a second group tells little of differences between groups."""
    slots = {slot: list(values) for slot, values in _source()["slots"].items()}
    design = draw.choices(slots.pop("design"), [6, 1, 1])[0]
    if design in NO_CONTROL:
        kept = {"payer": slots["payer"]}
        return {"design": design} | {slot: draw.choice(values) for slot, values in kept.items()}
    some = {slot: values for slot, values in slots.items() if slot == "result" or draw.random() < 0.75}
    found = {"design": design} | {slot: draw.choice(values) for slot, values in some.items()}
    if found["result"] == "same" and "late" in found:
        found["late"] = "unknown"  # where nothing differed, no difference can last
    return found


def _true_too(slot: str, value: str, told: str) -> bool:
    """Whether sentences of the value `told` may hold where `value` is the true one.

    What did worse did no better either; animals, too, are put into groups by chance.
    """
    return (slot, value, told) in {("result", "worse", "same"), ("design", "animal", "trial")}


def _names(sentence: str) -> set[str]:
    return {name.removesuffix("_c") for name in _NAME.findall(sentence)}


def _spoiled(sentence: str, facts: Mapping[str, str], draw: random.Random) -> Iterator[tuple[str, str]]:
    """(kind, the sentence with one entity or figure wrong), every way that it can be spoiled."""
    names = _names(sentence)
    for name, (other, kind) in OTHERS.items():
        if name in names and not _DENIES.search(sentence):  # what is denied of one thing may be true of another
            yield kind, fill(sentence, {**facts, name: facts[other]})
    for one, two in SWAPS:
        if one in names and two in names and _UNEVEN.search(sentence) and not _DENIES.search(sentence):
            yield "arm", fill(sentence, {**facts, one: facts[two], two: facts[one]})
    told = [name for name in FIGURES if name in names]
    if told:
        name = draw.choice(told)
        figure = int(facts[name])
        near = [v for v in (figure - 7, figure + 6, figure * 2, figure + 30) if v > 0 and str(v) not in facts.values()]
        if near:
            yield "number", fill(sentence, {**facts, name: str(draw.choice(near))})


def _claims(values: Mapping[str, str], facts: Mapping[str, str], part: PartName, draw: random.Random) -> list[Made]:
    good: list[tuple[str, str]] = []
    bad: list[tuple[str, str]] = []
    animal = values["design"] == "animal"
    for sentence in _mine(_source()["common"], part):
        if animal:
            bad.append(("species", fill(sentence, facts)))
        else:
            good.append(("common", fill(sentence, facts)))
            bad += _spoiled(sentence, facts, draw)
    for slot, value in values.items():
        for name, told in _source()["slots"][slot].items():
            for sentence in _mine(told["claim"], part):
                if name == value and animal and slot != "design" and _PEOPLE.search(sentence):
                    bad.append(("species", fill(sentence, facts)))
                elif name == value:
                    good.append((slot, fill(sentence, facts)))
                    bad += _spoiled(sentence, facts, draw)
                elif not _true_too(slot, value, name):
                    bad.append(("species" if "animal" in (name, value) else "direction", fill(sentence, facts)))
    bad += [(one["kind"], fill(one["text"], facts)) for one in _mine(_source()["overclaims"], part)]
    half = [("half", f"{one[:-1]}, and {_lower(two)}") for (_, one), (_, two) in zip(good, bad, strict=False)]
    bad += draw.sample(half, min(2, len(half)))
    true = {text for _, text in good}
    chosen = draw.sample(good, min(CLAIMS * 7 // 16, len(good)))
    wrong = [one for one in bad if one[1] not in true]
    return [Made("", text, True, kind) for kind, text in chosen] + [
        Made("", text, False, kind) for kind, text in draw.sample(wrong, min(CLAIMS * 9 // 16, len(wrong)))
    ]


def _lower(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _study(part: PartName, draw: random.Random) -> list[Made]:
    facts = _facts(part, draw)
    values = _values(facts, draw)
    told = [draw.choice(_mine(_source()["slots"][s][v]["passage"], part)) for s, v in values.items()]
    rest = told[1:]
    if len(rest) > 1 and draw.random() < 0.3:
        last = rest.pop()
        rest.insert(draw.randrange(len(rest)), last)
    passage = " ".join(fill(sentence, facts) for sentence in [told[0], *rest])
    if draw.random() < HEADED:
        heading = draw.choice(_mine(_source()["headings"], part))
        design = values["design"]
        about = {**facts, "kind": _source()["kinds"][design]} | (
            {"people": facts["animal"]} if design == "animal" else {}
        )
        passage = f"[{fill(heading, about)}] {passage}"
    return [Made(passage, one.claim, one.supported, one.kind) for one in _claims(values, facts, part, draw)]


def made(part: PartName, seed: int = 5) -> list[Made]:
    """All claims of the part's studies. The same seed gives the same studies."""
    draw = random.Random(f"{part}-{seed}")
    return [one for _ in range(STUDIES[part]) for one in _study(part, draw)]
