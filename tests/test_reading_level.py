"""Reading level: Flesch-Kincaid grade, its syllables, and what is left out of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.reading_level import MIN_WORDS, grade, split_sentences, syllables, without_names, words

EASY = "The cat sat on the mat. The dog ran to the red hut. We all had fun in the sun today. "


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("cat", 1),
        ("people", 2),
        ("infusion", 3),
        ("depression", 3),
        ("ketamine", 3),
        ("dissociation", 5),
        ("placebo", 3),
        ("Hospital", 3),
        ("don't", 1),
        ("don’t", 1),
        ("self-report", 3),
        ("queue", 1),
        ("every", 3),
        ("blorfing", 2),  # not in the dictionary: groups of vowels
        ("blorfe", 1),  # a final e is silent
        ("zwimble", 2),  # but not in -le
    ],
)
def test_syllables_of_words(word: str, expected: int) -> None:
    assert syllables(word) == expected


@pytest.mark.parametrize("word", ["158", "7", "0.5", "12.70", "1,000", "2015", "PTSD", "pcl", "mg", "JCPTD", "VTG"])
def test_numerals_and_vowelless_abbreviations_are_one_syllable(word: str) -> None:
    assert syllables(word) == 1


def test_words_leave_out_punctuation() -> None:
    assert words("In 158 people (0.5 or 1,000), it didn't help - yet; long-term.") == [
        *("In 158 people 0.5 or 1,000 it didn't help yet long-term").split()
    ]
    assert words("… !? –") == []


def test_sentences_are_split_in_order_and_whole() -> None:
    assert split_sentences("Dr. Feder ran it. It had 0.5 as a share. Did it help? Yes!") == [
        "Dr. Feder ran it.",
        "It had 0.5 as a share.",
        "Did it help?",
        "Yes!",
    ]
    assert split_sentences("") == []


# By hand: 0.39 * words / sentences + 11.8 * syllables / words - 15.59.
@pytest.mark.parametrize(
    ("text", "sentences", "counted", "spoken"),
    [
        ("The cat sat on the mat. " * 5, 5, 30, 30),
        ("The cat sat on the big red mat. " * 4, 4, 32, 32),
        ("Scientists are not sure about the infusion. " * 5, 5, 35, 60),
    ],
)
def test_known_grades(text: str, sentences: int, counted: int, spoken: int) -> None:
    expected = 0.39 * counted / sentences + 11.8 * spoken / counted - 15.59
    assert grade(text) == pytest.approx(expected)


def test_longer_words_and_longer_sentences_read_harder() -> None:
    easy = grade(EASY * 2)
    hard = grade("Dissociation measurements demonstrated considerable interindividual variability. " * 6)
    joined = grade((EASY * 2).replace(". ", " and "))
    assert easy is not None
    assert hard is not None
    assert joined is not None
    assert easy < 3 < 10 < hard
    assert joined > easy


def test_under_30_words_there_is_no_grade() -> None:
    assert MIN_WORDS == 30
    assert grade("cat " * 29) is None
    assert grade("cat " * 30) is not None
    assert grade("") is None
    assert grade("", min_words=0) is None
    assert grade("It is so.", min_words=1) is not None


def test_names_do_not_count_towards_the_30_words() -> None:
    assert grade("cat " * 29 + "ketamine", ["ketamine"]) is None


def test_names_are_removed_however_they_are_written() -> None:
    text = "Ketamine and KETAMINE, Special K by Abdallah's team; esketamine stays."
    left = without_names(text, ["ketamine", "special k", "abdallah"])
    assert words(left) == "and by s team esketamine stays".split()
    assert without_names(text, []) == text


def test_the_longest_name_is_removed_whole() -> None:
    assert words(without_names("The special k drip", ["k", "special k"])) == ["The", "drip"]


def test_names_lower_the_grade() -> None:
    text = "The Abdallah study of ketamine in people with bad dreams was big and it was fair. " * 3
    plain, named = grade(text, ["abdallah", "ketamine"]), grade(text)
    assert plain is not None
    assert named is not None
    assert plain < named


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzABC'’-0123456789", min_size=1, max_size=30))
def test_every_word_has_a_syllable(text: str) -> None:
    assert all(syllables(word) >= 1 for word in words(text))


@given(st.text(max_size=300))
def test_no_text_breaks_the_grade(text: str) -> None:
    value = grade(text, ["ketamine"])
    assert value is None or value > -16


def test_a_sentence_keeps_its_letters() -> None:
    text = "It doesn't say. And isn't it odd?\n\nA new one - here."
    assert split_sentences(text) == ["It doesn't say.", "And isn't it odd?", "A new one - here."]
