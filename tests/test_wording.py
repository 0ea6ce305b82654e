"""The fixed words: cards, help lines and languages say what they must, no more, and invent no number."""

import re
from datetime import date
from typing import Any

import pytest
import yaml

from server.paths import CORPUS, WEB

PLACEHOLDER = re.compile(r"\{[^}]*\}")


def _load(path: Any, key: str) -> dict[str, Any]:
    with path.open(encoding="utf-8") as file:
        loaded: dict[str, dict[str, Any]] = yaml.safe_load(file)
    assert set(loaded) == {key}
    return loaded[key]


CARDS = _load(WEB / "wording" / "cards.yaml", "cards")
LANGUAGES = _load(WEB / "wording" / "languages.yaml", "languages")
COUNTRIES = _load(CORPUS / "help_lines.yaml", "countries")
LINES = [(code, line) for code, country in COUNTRIES.items() for line in country["lines"]]

IDS = (
    "abuse after_dose companion crisis_check crisis_check_again crisis_immediate crisis_immediate_again"
    " emergency_medical flashback help_now language minor self_harm switched_off third_party threat"
)
KINDS = {"crisis", "veterans", "poison", "youth", "abuse", "substance", "language", "info"}
OWN_ADDRESSES = {"https://988lifeline.org", "https://veteranscrisisline.net", "https://findahelpline.com"}
# Every number that stands in the evidence or in the design's country table.
KNOWN_NUMBERS = (
    "988|838255|1-800-222-1222|116 123|111|85258|1800 247 247|50808|1800 111 888|13 11 14|0477 13 11 14"
    "|1800 011 046|1737|14416"
)
LANGUAGE_CODES = "ar de es fa fr hi it ja ko nl pl pt ru tl tr uk vi zh"
EMERGENCY = "US 911, GB 999, IE 112 or 999, CA 911, AU 000, NZ 111, IN 112, ZZ your local emergency number"
BANNED = {
    "shuts the door": r"(?:can't|cannot) (?:talk about|discuss|help you)|unable to help",
    "leading question": r"not thinking (?:of|about)|you're not .*are you\?",
    "secrecy": r"secret|confidential|between us|(?:won't|will not) tell|private",
    "always there": r"always|here for you|never leave|any ?time|24/7",
    "contract": r"promise|swear",
    "blame": r"you should have|your own fault|why did you|attention|selfish|overreact|calm down",
    "stigma": r"commit|(?:successful|failed) (?:attempt|treatment)|sufferer|subject|patients?\b|addict",
    "method": r"\bguns?\b|firearm|kni(?:fe|ves)|\brope|bridge|hang(?:ing)?\b|overdos|blade|\bcut",
    "statistic": r"\d ?%|percent|\d in \d|\brates?\b|most people|on average",
    "study fact": r"\btrials?\b|placebo|midazolam|infusion|found that|\bproven\b|\bmg\b",
    "confronting": r"confront|stand up to|talk to your (?:partner|husband|wife)|leave (?:him|her|them)",
    "dose advice": r"\b(?:stop|skip|start|taper)\b (?:taking|your)|(?:less|more|half) \{drug\}",
    "pressure": r"you must|you have to\b|you need to\b",
    "feelings of its own": r"\bI(?:'m| am) (?!a computer program)|\bI (?:feel|care|worry)\b",
    "asks for the story": r"what happened|tell me (?:about|more)",
}
MUST_SAY = {
    "crisis_immediate": "Can you call or text now? | keep writing here | Thank you"
    " | Ask someone to stay with you | Move away from anything you could use to hurt yourself",
    "crisis_immediate_again": "Ask someone to stay with you | Move away from anything you could use",
    "crisis_check": "Your question can wait here | someone you trust | the team that treats you",
    "crisis_check_again": "Your question can wait here | someone you trust",
    "self_harm": "Clean | Press | deep or won't stop bleeding | the team that treats you",
    "emergency_medical": "Do not wait | Do not drive | Do not be alone | Stay with the person | poison line"
    " | breathing | not wake up",
    "after_dose": "the clinic that treated you | today | Do not drive | Ask someone to stay with you",
    "flashback": "memory | will pass | Name 5 things you can see | feet | Breathe out slowly | date",
    "third_party": "Thank you | stay with them | straight out about suicide | Listen | out of reach",
    "threat": "Step away from the person | anyone may be hurt",
    "abuse": "not your fault | in danger now | link at the top",
    "minor": "were adults | your parent or another adult you trust | doctor who looks after young people",
    "help_now": "It was not you",
    "companion": "can't be a therapist | one person you trust",
}


def _texts(card: dict[str, Any]) -> list[str]:
    return [card["title"], *card["paragraphs"], *card["steps"]]


def _crisis(code: str) -> str:
    line = next(line for line in COUNTRIES[code]["lines"] if line["kind"] == "crisis")
    if line["call"] is None:
        return f"visit {line['name']}"
    if line["call"] == line["text"]:
        return f"call or text {line['call']}"
    return f"call {line['name']} on {line['call']}"


def _filled(card: dict[str, Any], code: str) -> list[str]:
    crisis = _crisis(code)
    words = {"emergency": COUNTRIES[code]["emergency"], "crisis": crisis, "drug": "ketamine"}
    words["Crisis"] = crisis[0].upper() + crisis[1:]
    return [text.format(**words) for text in _texts(card)]


def test_every_card_and_language_is_there() -> None:
    assert " ".join(sorted(CARDS)) == IDS
    assert " ".join(sorted(LANGUAGES)) == LANGUAGE_CODES


@pytest.mark.parametrize("name", sorted(CARDS))
def test_card_has_its_shape(name: str) -> None:
    card = CARDS[name]
    assert set(card) == {"title", "urgency", "paragraphs", "steps", "lines", "signed_by"}
    assert card["urgency"] in {"emergency", "urgent", "note"}
    assert all(isinstance(text, str) and text.strip() == text and "\n" not in text for text in _texts(card))
    assert len(card["paragraphs"]) in {1, 2, 3}
    assert len(card["steps"]) in {1, 2, 3, 4, 5}
    assert set(card["lines"]) <= KINDS | {"emergency"}
    assert {"emergency", "crisis"} <= set(card["lines"])
    assert card["signed_by"] == [] or all(isinstance(by, str) and by for by in card["signed_by"])


@pytest.mark.parametrize("name", sorted(CARDS))
def test_card_is_short_and_reads_well_in_every_country(name: str) -> None:
    limit = 75 if name == "flashback" else 110
    for code in COUNTRIES:
        texts = _filled(CARDS[name], code)
        assert sum(len(text.split()) for text in texts) <= limit, code
        sentences = [part for text in texts for part in re.split(r"(?<=[.?!])\s+", text)]
        assert max(len(sentence.split()) for sentence in sentences) <= 28, code
        assert [sentence for sentence in sentences if not sentence[0].isupper()] == [], code


@pytest.mark.parametrize("name", sorted(CARDS))
def test_card_says_nothing_banned_and_gives_no_number_of_its_own(name: str) -> None:
    whole = "\n".join(_texts(CARDS[name]))
    found = {why: hit.group() for why, pattern in BANNED.items() if (hit := re.search(pattern, whole, re.I))}
    assert not found
    assert set(PLACEHOLDER.findall(whole)) <= {"{emergency}", "{crisis}", "{Crisis}", "{drug}"}
    assert "{emergency}" in whole or name == "flashback"
    assert "{crisis}" in whole.lower() or name == "emergency_medical"
    assert re.findall(r"\d+", PLACEHOLDER.sub("", whole)) == (["5"] if name == "flashback" else [])


def test_crisis_cards_say_it_is_a_computer_program_and_ask_at_most_once() -> None:
    asking = {"crisis_check", "self_harm", "companion"}
    for name, card in CARDS.items():
        whole = " ".join(_texts(card))
        assert whole.count("Are you having thoughts of ending your life?") == (name in asking), name
        if name in asking or name.startswith("crisis_"):
            assert "I'm a computer program" in whole, name


def test_emergency_title_is_the_action_and_lines_stand_in_order() -> None:
    urgent = [card for card in CARDS.values() if card["urgency"] == "emergency"]
    assert len(urgent) == 3
    assert all(card["title"].startswith("Call {emergency} now") for card in urgent)
    assert all(card["lines"][0] == "emergency" for card in urgent)
    assert CARDS["emergency_medical"]["lines"][1] == "poison"
    for name in set(CARDS) - {"minor"}:
        assert "crisis veterans" in " ".join(CARDS[name]["lines"]), name
    assert CARDS["emergency_medical"]["steps"][0].startswith("Call {emergency} first")


@pytest.mark.parametrize("name", sorted(MUST_SAY))
def test_card_says_what_it_must(name: str) -> None:
    whole = " ".join(_texts(CARDS[name]))
    assert [phrase for phrase in MUST_SAY[name].split(" | ") if phrase not in whole] == []


def test_short_cards_are_shorter_and_ask_no_direct_question() -> None:
    for name in ("crisis_immediate", "crisis_check"):
        first, again = (len(" ".join(_texts(CARDS[key])).split()) for key in (name, f"{name}_again"))
        assert again < first
    assert "?" not in " ".join(_texts(CARDS["crisis_check_again"]))
    assert " ".join(_texts(CARDS["crisis_immediate"])).count("?") == 1


def test_countries_and_emergency_numbers() -> None:
    assert ", ".join(f"{code} {country['emergency']}" for code, country in COUNTRIES.items()) == EMERGENCY
    for country in COUNTRIES.values():
        assert set(country) == {"name", "emergency", "emergency_verified_on", "lines"}
        assert country["lines"][0]["kind"] == "crisis"


@pytest.mark.parametrize("line", [pytest.param(line, id=f"{code}-{line['name']}") for code, line in LINES])
def test_help_line_has_its_shape_and_only_known_numbers(line: dict[str, Any]) -> None:
    assert set(line) == {"kind", "name", "call", "text", "url", "languages", "note", "verified_on", "read_in"}
    assert line["kind"] in KINDS
    assert line["read_in"] in {"context", "requirements", "unverified"}
    assert line["call"] or line["text"] or line["url"]
    assert {line["call"], line["text"]} <= {*KNOWN_NUMBERS.split("|"), None}
    assert line["url"] is None or line["url"] in OWN_ADDRESSES
    assert isinstance(line["languages"], list)
    assert line["note"] is None or (len(line["note"].split()) <= 15 and line["note"].endswith("."))


def test_checked_dates_are_null_or_dates() -> None:
    dates = [line["verified_on"] for _, line in LINES]
    dates += [country["emergency_verified_on"] for country in COUNTRIES.values()]
    for checked in dates:
        assert checked is None or isinstance(checked, date)


def test_us_and_general_lines() -> None:
    crisis, veterans, poison = COUNTRIES["US"]["lines"]
    assert (crisis["kind"], crisis["call"], crisis["text"]) == ("crisis", "988", "988")
    assert (veterans["kind"], veterans["call"], veterans["text"]) == ("veterans", "988", "838255")
    assert veterans["note"] == "Dial 988 and press 1, or text 838255."
    assert (poison["kind"], poison["call"]) == ("poison", "1-800-222-1222")
    directory, labelled = COUNTRIES["ZZ"]["lines"]
    assert directory["url"] == "https://findahelpline.com"
    assert labelled["name"].startswith("United States:")
    assert "838255" in labelled["note"]


@pytest.mark.parametrize("code", LANGUAGE_CODES.split())
def test_language_notice(code: str) -> None:
    notice = LANGUAGES[code]
    assert set(notice) == {"name", "dir", "local_emergency", "text", "line"}
    assert notice["dir"] == ("rtl" if code in {"ar", "fa"} else "ltr")
    assert 2 <= len(notice["text"]) <= 4
    whole = " ".join(notice["text"])
    assert sorted(PLACEHOLDER.findall(whole)) == ["{emergency}", "{number}"]
    assert not re.search(r"\d", whole + notice["line"] + notice["local_emergency"])
    assert PLACEHOLDER.findall(notice["line"] + notice["local_emergency"]) == []
