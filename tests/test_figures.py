"""Figures: every number in a sentence must stand, with its unit, in a cited passage."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from server.corpus import Corpus, load_corpora
from server.paths import CORPUS
from server.verify.figures import WORDS, Figure, canonical, figures, unsupported

PASSAGES = [p.text for corpus in load_corpora(CORPUS).values() for p in corpus.passages.values() if p.words != "review"]
NUMBERED = [text for text in PASSAGES if figures(text)]
# How a figure of a kind is written in a sentence.
WRITTEN = {
    None: "{}",
    "percent": "{}%",
    "dose_by_weight": "{} mg/kg",
    "person": "{} people",
    "infusion": "{} infusions",
    "trial": "{} trials",
}


def values(text: str) -> list[str]:
    return [figure.value for figure in figures(text)]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("12.70", "12.7"),
        ("12.7", "12.7"),
        (".5", "0.5"),
        ("0.50", "0.5"),
        ("twelve", "12"),
        ("Twelve", "12"),
        ("twice", "2"),
        ("half", "0.5"),
        ("1,000", "1000"),
        ("12,345,678", "12345678"),
        ("-8.9", "8.9"),
        ("−8.9", "8.9"),
        ("+3", "3"),
        ("007", "7"),
        ("0", "0"),
    ],
)
def test_canonical(number: str, expected: str) -> None:
    assert canonical(number) == expected


@pytest.mark.parametrize("word", WORDS)
def test_every_number_word_is_read(word: str) -> None:
    if word != "one":
        assert values(f"It was {word} here.") == [canonical(word)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("46% were women", [("46", "percent")]),
        ("46 percent were women", [("46", "percent")]),
        ("46 per cent were women", [("46", "percent")]),
        ("12 of 15 were in remission", [("12", None), ("15", None)]),
        ("12 of 15 people", [("12", None), ("15", "person")]),
        ("0.5 mg/kg over 40 minutes", [("0.5", "dose_by_weight"), ("40", "minute")]),
        ("0.5 mg / kg", [("0.5", "dose_by_weight")]),
        ("0.5 milligrams per kilogram", [("0.5", "dose_by_weight")]),
        ("5 mg", [("5", "mg")]),
        ("twelve people", [("12", "person")]),
        ("a score of .5 there", [("0.5", None)]),
        ("12.70 points", [("12.7", "point")]),
        ("12.7 points", [("12.7", "point")]),
        ("2 to 5 weeks", [("2", None), ("5", "week")]),
        ("2-5 weeks", [("2", None), ("5", "week")]),
        ("2–5 weeks", [("2", None), ("5", "week")]),
        ("0.63-1.04", [("0.63", None), ("1.04", None)]),
        ("1,000 people", [("1000", "person")]),
        ("1,234.5 points", [("1234.5", "point")]),
        ("24-hour rating", [("24", "hour")]),
        ("24 h after", [("24", "hour")]),
        ("2 active doses", [("2", "infusion")]),
        ("10 small randomized trials", [("10", "trial")]),
        ("158 veterans and service members", [("158", "person")]),
        ("27 of 108 people and 19 of 55", [("27", None), ("108", "person"), ("19", None), ("55", None)]),
        ("p = 0.02.", [("0.02", None)]),
        ("ages 21 to 55", [("21", None), ("55", None)]),
        ("from May 2009 to December 2012", [("2009", None), ("2012", None)]),
        ("a score of -8.9", [("8.9", None)]),
        ("over 4 weeks.", [("4", "week")]),
        ("8 years old", [("8", "year")]),
        ("half of those 12 people", [("0.5", None), ("12", "person")]),
        ("one person", [("1", "person")]),
        ("one infusion", [("1", "infusion")]),
        ("one small trial", [("1", "trial")]),
        ("nothing at all", []),
        ("", []),
    ],
)
def test_figures(text: str, expected: list[tuple[str, str | None]]) -> None:
    assert figures(text) == [Figure(*pair) for pair in expected]


@pytest.mark.parametrize(
    "text",
    [
        "One idea is that it helps the brain.",
        "The main one reported is dissociation.",
        "No one can tell you that.",
        "Anyone can ask, and someone will answer.",
        "Nobody can tell what will happen for one person.",
        "It is one of the studies.",
        "One or the other may be true.",
        "Which one was it?",
    ],
)
def test_the_pronoun_one_is_no_count(text: str) -> None:
    assert figures(text) == []


@pytest.mark.parametrize(
    "name",
    ["PCL-5", "CAPS-5", "mTORC1", "NCT00749203", "PHQ-9", "C1", "5HT2A", "IES-R", "cFos", "D2-receptor", "COVID-19"],
)
def test_numbers_in_names_are_no_figures(name: str) -> None:
    assert figures(f"It was scored with {name} there.") == []


PASSAGE = (
    "158 people had 8 infusions over 4 weeks; 46% were women. The mean was 12.70 points out of 88. "
    "It was 0.5 mg/kg over 40 minutes. 1,012 were asked, aged 21-55. 12 of 15 improved by 41 days."
)


@pytest.mark.parametrize(
    "sentence",
    [
        "158 veterans took part.",
        "There were 158 of them.",
        "Eight infusions over four weeks.",
        "46 percent were women.",
        "46 per cent were women.",
        "A share of 0.46 were women.",
        "The mean was 12.7 points.",
        "It was 0.50 mg/kg over 40 minutes.",
        "It was .5 mg/kg.",
        "1012 people were asked.",
        "They were 21 to 55 years old.",
        "12 of 15 people improved by 41 days.",
        "Scored with the PCL-5, 158 people took part.",
        "One idea is that it helps.",
        "It says nothing about you.",
    ],
)
def test_supported(sentence: str) -> None:
    assert unsupported(sentence, [PASSAGE]) == []


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("159 people took part.", ("159", "person")),
        ("15.8 points.", ("15.8", "point")),
        ("8 weeks.", ("8", "week")),  # the passage has 8 infusions and 4 weeks
        ("4 infusions.", ("4", "infusion")),
        ("Over 4 days.", ("4", "day")),
        ("41 weeks.", ("41", "week")),
        ("40 hours.", ("40", "hour")),
        ("0.5 mg.", ("0.5", "mg")),
        ("46 people were women.", ("46", "person")),
        ("12.71 points.", ("12.71", "point")),
        ("1.27 points.", ("1.27", "point")),
        ("1,102 were asked.", ("1102", None)),
        ("It helped twice.", ("2", None)),
        ("Twenty people.", ("20", "person")),
        ("In 2014 it ran.", ("2014", None)),
        ("One trial found that.", ("1", "trial")),
        ("One person got worse.", ("1", "person")),
    ],
)
def test_unsupported(sentence: str, wrong: tuple[str, str | None]) -> None:
    assert unsupported(sentence, [PASSAGE]) == [Figure(*wrong)]


def test_days_are_not_weeks() -> None:
    assert unsupported("It lasted 7 weeks.", ["It lasted 7 days."]) == [Figure("7", "week")]
    assert unsupported("It lasted 7 days.", ["It lasted 7 days."]) == []


def test_a_passage_s_bare_number_contradicts_no_unit() -> None:
    assert unsupported("12 of 15 people.", ["12 of 15 were in remission."]) == []


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("27% of people did not finish.", "27 of 108 people on ketamine and 27 in all."),
        ("88% improved.", "12.70 points out of 88 (p = 0.02)."),
        ("They got 88 mg.", "A scale from 0 to 88 was used."),
    ],
)
def test_a_bare_number_is_no_percentage_and_no_dose(sentence: str, passage: str) -> None:
    assert len(unsupported(sentence, [passage])) == 1


def test_without_a_passage_no_figure_is_supported() -> None:
    assert unsupported("158 people.", []) == [Figure("158", "person")]
    assert unsupported("No figure here.", []) == []


def test_a_figure_may_stand_in_any_of_the_passages() -> None:
    assert unsupported("158 people over 4 weeks.", ["158 people.", "Over 4 weeks."]) == []


def test_every_claim_s_figures_are_supported(corpus: Corpus) -> None:
    for claim in corpus.claims.values():
        assert unsupported(claim.text, [corpus.passages[p].text for p in claim.passages]) == [], claim.id


def _written(figure: Figure) -> str:
    return WRITTEN.get(figure.unit, "{} " + (figure.unit or "") + "s").format(figure.value)


@given(st.sampled_from(NUMBERED), st.data())
def test_a_sentence_of_a_passage_s_own_figures_is_supported(passage: str, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(figures(passage)), min_size=1, max_size=5))
    sentence = "It says " + ", and ".join(_written(figure) for figure in chosen) + ", in all."
    assert unsupported(sentence, [passage]) == []


@given(st.sampled_from(NUMBERED), st.data())
def test_a_changed_figure_is_caught(passage: str, data: st.DataObject) -> None:
    figure = data.draw(st.sampled_from(figures(passage)))
    other = data.draw(st.integers(0, 3000).map(str) | st.decimals(0, 100, places=1).map(str))
    held = {f.value for f in figures(passage)}
    shares = {canonical(str(float(f.value) / 100)) for f in figures(passage) if f.unit == "percent"}
    assume(canonical(other) not in held | shares)
    sentence = f"It says {_written(Figure(other, figure.unit))}, in all."
    assert [f.value for f in unsupported(sentence, [passage])] == [canonical(other)]


@given(st.sampled_from(NUMBERED), st.data())
def test_a_changed_unit_is_caught(passage: str, data: st.DataObject) -> None:
    figure = data.draw(st.sampled_from(figures(passage)))
    unit = data.draw(st.sampled_from(["day", "week", "month", "hour", "minute", "percent"]))
    units = {f.unit for f in figures(passage) if f.value == figure.value}
    assume(unit not in units and None not in units)
    shares = {canonical(str(float(f.value) / 100)) for f in figures(passage) if f.unit == "percent"}
    assume(figure.value not in shares)
    sentence = f"It says {_written(Figure(figure.value, unit))}, in all."
    assert unsupported(sentence, [passage]) == [Figure(figure.value, unit)]


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    for figure in figures(text):
        assert re.fullmatch(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", figure.value)


@given(st.text(alphabet="0123456789.,-–+% mgkone half", max_size=60))
def test_no_row_of_digits_breaks_it(text: str) -> None:
    assert unsupported(text, [text]) == []
