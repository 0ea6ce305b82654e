"""Understand: follow-ups, names of studies and subjects, kinds of question, and which language a message is in."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import TOPIC, ask

from server.corpus import Corpus, load_corpora
from server.embedding import Embedder
from server.engine import Engine
from server.index import Examples, Index
from server.paths import CORPUS
from server.screen.language import detect
from server.turn import Message, Outcome, Question, Reading, Screening, Turn
from server.understand.follow_up import MAX_WORDS, is_follow_up, previous
from server.understand.intent import KEPT, Intents
from server.understand.names import studies, subject
from server.understand.stage import Understand

REAL = load_corpora(CORPUS)[TOPIC]
CUES = REAL.topic.follow_up_cues
TERMS = REAL.topic.terms
NAMES = (*REAL.topic.drug_names, REAL.topic.condition)


@pytest.fixture(scope="module")
def understand(corpus: Corpus, index: Index, embedder: Embedder) -> Understand:
    return Understand(corpus, index.examples(corpus), embedder)


def dialogue(*messages: str) -> Question:
    """User messages, each but the last answered by the assistant."""
    said: list[Message] = []
    for text in messages[:-1]:
        said += [Message("user", text), Message("assistant", "An answer about the Albott study.")]
    return Question((*said, Message("user", messages[-1])), "US", topic=TOPIC)


def read(understand: Understand, *messages: str, screening: Screening | None = None) -> Reading:
    reading = understand(Turn(dialogue(*messages), screening=screening or Screening())).reading
    assert reading is not None
    return reading


# Follow-ups


@pytest.mark.parametrize(
    "text",
    [
        "how long did it last?",
        "and was it safe?",
        "Why?",
        "really?",
        "what about people who were hurt",
        "how many were in that one",
        "is that true",
        "but does it work?",
        "so it helps?",
        "Which one was bigger?",
        "IT",
    ],
)
def test_a_short_message_that_leans_on_the_last_is_a_follow_up(text: str) -> None:
    assert is_follow_up(text, CUES, TERMS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Does ketamine help with PTSD?",
        "what about ketamine",
        "is it safe with ptsd",
        "and the Feder study?",
        "how many people took part",
        "it " * (MAX_WORDS + 1),
        "Is there anything I can read while waiting before that appointment then",
        "italy",
        "soap",
        "wonder",
    ],
)
def test_a_message_with_its_own_matter_is_no_follow_up(text: str) -> None:
    assert not is_follow_up(text, CUES, TERMS)


def test_nine_words_are_short_and_ten_are_not() -> None:
    assert is_follow_up("it " * MAX_WORDS, CUES, TERMS)
    assert not is_follow_up("it " * (MAX_WORDS + 1), CUES, TERMS)


def test_previous_is_the_user_s_message_before() -> None:
    assert previous(dialogue("one")) is None
    assert previous(dialogue("one", "two")) == "one"
    assert previous(dialogue("one", "two", "three")) == "two"
    forged = Question((Message("assistant", "forged"), Message("user", "one")))
    assert previous(forged) is None


# Names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What did Feder find?", ["feder2014"]),
        ("what did FEDER's trial find", ["feder2014"]),
        ("feder 2014", ["feder2014"]),
        ("Feder-2014", ["feder2014"]),
        ("the new york trial", ["feder2014"]),
        ("the New  York\ntrial", ["feder2014"]),
        ("Abdallah 2015", ["abdallah2015"]),
        ("Abdallah 2021", ["abdallah2021"]),
        ("the Abdallah trial", ["abdallah2021"]),
        ("Abdallah", ["abdallah2021"]),
        ("Abdallah and Krystal", ["abdallah2015"]),
        ("Girgenti's rat study", ["girgenti2017"]),
        ("the rat study by Belujon", ["belujon2014"]),
        ("Belujon's rats study", ["belujon2014"]),
        ("the rat study", ["girgenti2017"]),
        ("the pooled trials by Du", ["du2022"]),
        ("Du et al", ["du2022"]),
        ("that meta-analysis", ["du2022"]),
        ("that meta analysis", ["du2022"]),
        ("Liu's meta-analysis", ["liu2024"]),
        ("the scan study by Burrows", ["burrows2023"]),
        ("the scan study", ["duek2021"]),
        ("the review", ["review"]),
        ("the trial with 158 people", ["abdallah2021"]),
        ("the one with 15 people", ["albott2018"]),
        ("Feder and Albott", ["feder2014", "albott2018"]),
        ("does ketamine help", []),
        ("during the duet, due to a federal aliud", []),
        ("feders", []),
        ("", []),
    ],
)
def test_studies_that_are_named(corpus: Corpus, text: str, expected: list[str]) -> None:
    assert sorted(studies(text, corpus)) == sorted(expected)


@pytest.mark.parametrize("key", REAL.sources)
def test_every_alias_names_its_own_work(corpus: Corpus, key: str) -> None:
    for alias in corpus.sources[key].aliases:
        assert studies(f"What about {alias}?", corpus) == (key,), alias
        assert studies(f"what did {alias.upper()} find", corpus) == (key,), alias


def test_the_longest_alias_uses_up_its_words(corpus: Corpus) -> None:
    assert studies("Abdallah 2015", corpus) == ("abdallah2015",)
    one = corpus.sources["feder2014"].model_copy(update={"aliases": ("big trial",)})
    two = corpus.sources["du2022"].model_copy(update={"aliases": ("very big trial",)})
    other = replace(corpus, sources={"feder2014": one, "du2022": two})
    assert studies("the very big trial", other) == ("du2022",)
    assert studies("the big trial", other) == ("feder2014",)
    assert set(studies("a very big trial and a big trial", other)) == {"du2022", "feder2014"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Does it help with nightmares?", "nightmares"),
        ("what about my BLADDER", "bladder"),
        ("could I die from it", "death"),
        ("is it addictive", "addiction"),
        ("can I drive home", "driving"),
        ("complex PTSD", "complex_ptsd"),
        ("C-PTSD", "complex_ptsd"),
        ("Spravato nasal spray", "esketamine"),
        ("diesel and jobless", None),
        ("does ketamine help", None),
        ("", None),
    ],
)
def test_subjects_that_are_named(corpus: Corpus, text: str, expected: str | None) -> None:
    assert subject(text, corpus) == expected


# Kinds of question


def test_the_likeliest_kinds_come_best_first() -> None:
    rng = np.random.default_rng(7)
    centres = np.eye(384, dtype=np.float32)[:6]
    vectors = np.repeat(centres, 12, axis=0) + 0.02 * rng.standard_normal((72, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    briefs = tuple(f"kind.{number}" for number in range(6) for _ in range(12))
    ranked = Intents(Examples(vectors, briefs)).rank(centres[3])
    assert len(ranked) == KEPT
    assert ranked[0].brief == "kind.3"
    assert ranked[0].similarity > 0.9
    assert [i.probability for i in ranked] == sorted((i.probability for i in ranked), reverse=True)
    assert 0.99 < sum(i.probability for i in ranked) <= 1.0 + 1e-5


def test_examples_are_read_as_their_own_kind(understand: Understand, corpus: Corpus, index: Index) -> None:
    """A floor under what was measured (0.86 exact, 0.93 the same outcome): many kinds are near twins."""
    examples, intents = index.examples(corpus), understand._intents
    scores = examples.vectors @ intents._weights.T + intents._bias
    found = [intents._classes[number] for number in scores.argmax(axis=1)]
    exact = [one == other for one, other in zip(found, examples.briefs, strict=True)]
    outcomes = [
        corpus.briefs[one].outcome is corpus.briefs[other].outcome
        for one, other in zip(found, examples.briefs, strict=True)
    ]
    assert np.mean(exact) >= 0.8
    assert np.mean(outcomes) >= 0.9


@pytest.mark.parametrize(
    ("text", "brief"),
    [
        ("Does ketamine help with PTSD?", "works.overall"),
        ("How long does one infusion last?", "lasts.one_infusion"),
        ("Did any studies not find that it works?", "trust.negative"),
        ("Is this private?", "meta.privacy"),
        ("Are you a real person?", "meta.identity"),
        ("Will it hurt my bladder?", "harms.bladder"),
    ],
)
def test_plain_questions_are_read_as_their_kind(understand: Understand, text: str, brief: str) -> None:
    reading = read(understand, text)
    assert reading.brief == brief
    assert reading.score >= REAL.topic.intent_threshold
    assert reading.query == text
    assert reading.vector.shape == (384,)


def test_nonsense_has_no_kind_and_is_out_of_scope(understand: Understand) -> None:
    reading = read(understand, "qwxz blorp zzkq vvv")
    assert reading.brief is None
    assert not reading.in_scope
    assert reading.studies == ()


def test_a_word_of_the_field_puts_a_question_in_scope(understand: Understand) -> None:
    assert read(understand, "zzkq vvv blorp mtorc1 qwxz").in_scope


def test_what_the_screen_marked_decides_the_kind(understand: Understand) -> None:
    marked = Screening(mark=Outcome.REFUSE_REDIRECT, mark_brief="harmful.self_dose")
    assert read(understand, "Does ketamine help with PTSD?", screening=marked).brief == "harmful.self_dose"


def test_a_study_question_without_a_study_gets_the_general_form(understand: Understand) -> None:
    reading = read(understand, "How many people took part in the study?")
    assert reading.studies == ()
    assert reading.brief is not None
    assert not REAL.briefs[reading.brief].aspect


# Dialogues


def test_a_study_named_now_beats_the_one_before(understand: Understand) -> None:
    reading = read(understand, "What did the Feder study find?", "and the Albott study?")
    assert reading.studies == ("albott2018",)


def test_the_assistant_s_words_name_no_study(understand: Understand) -> None:
    """Each answer of these dialogues names the Albott study; nobody asked for it."""
    reading = read(understand, "Does ketamine help with PTSD?", "how many people was that?")
    assert reading.studies == ()


def test_a_follow_up_is_read_with_the_question_before_it(understand: Understand) -> None:
    reading = read(understand, "Does it hurt the bladder?", "why?")
    assert reading.query == "Does it hurt the bladder? why?"
    assert reading.subject == "bladder"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Is this private?", {"meta.privacy"}),
        ("is this a bot", {"meta.identity"}),
        ("Who made this?", {"meta.how_made"}),
        ("Is it safe to drive?", {"me.driving"}),
        ("Is that legal?", {"practical.legal"}),
        ("Does it cost a lot?", {"practical.cost"}),
        ("Are you a real person?", {"meta.identity"}),
        ("Can I take this with my other pills?", {"me.drug_mix"}),
    ],
)
def test_a_question_with_its_own_matter_stands_alone(understand: Understand, text: str, kinds: set[str]) -> None:
    """It reads so by itself, and a study named a turn before does not change it."""
    assert read(understand, text).brief in kinds
    assert read(understand, "What did the Feder study find?", text).brief in kinds


def test_only_the_turn_before_counts(understand: Understand) -> None:
    question = "how many people was that?"
    reading = read(understand, "What did the Feder study find?", "Does ketamine help with PTSD?", question)
    assert reading.studies == ()


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("how many people was that?", {"study.size", "study.people"}),
        ("how many were in that one", {"study.size", "study.people"}),
        ("who took part in it?", {"study.people", "study.size"}),
        ("and who paid for it?", {"study.funding"}),
        ("what did they measure?", {"study.measured"}),
        ("where was it done?", {"study.where_when"}),
        ("was there a placebo in that one", {"study.comparison"}),
        ("did any of them get side effects", {"study.side_effects"}),
        ("did any of them drop out?", {"study.dropout"}),
    ],
)
def test_a_follow_up_asks_about_the_study_before(understand: Understand, text: str, kinds: set[str]) -> None:
    reading = read(understand, "What did the Feder study find?", text)
    assert reading.studies == ("feder2014",)
    assert reading.brief in kinds


def test_the_whole_path_answers_a_follow_up(engine: Engine) -> None:
    turn = ask(engine, "What did the Feder study find?", "how many people was that?")
    assert turn.outcome is Outcome.ANSWER
    assert any("41" in sentence.text for sentence in turn.sentences)
    assert turn.sentences[0].citations[0].startswith("feder2014.")


@pytest.mark.parametrize("question", REAL.topic.example_questions)
def test_the_page_s_example_questions_are_answered(engine: Engine, question: str) -> None:
    turn = ask(engine, question)
    assert turn.outcome in {Outcome.ANSWER, Outcome.ANSWER_WITH_CARD}
    assert turn.dropped == ()


# Language


@pytest.mark.parametrize("brief", REAL.examples)
def test_no_example_question_is_taken_for_another_language(brief: str) -> None:
    flagged = {text: found for text in REAL.examples[brief] if (found := detect(text, NAMES)) is not None}
    assert flagged == {}


def test_no_follow_up_is_taken_for_another_language() -> None:
    assert {text: found for text in REAL.follow_ups if (found := detect(text, NAMES)) is not None} == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ketamine",
        "ptsd",
        "?",
        "123 456",
        "ok",
        "thx",
        "k hole",
        "ketamine ptsd",
        "help",
        "mTORC1",
        "I feel déjà vu after the drip",
        "does ketamine help w/ ptsd??",
        "idk what 2 do",
        "😀😀",
        "Girgenti mTORC1 prefrontal cortex extinction",
    ],
)
def test_short_or_odd_english_is_not_flagged(text: str) -> None:
    assert detect(text, NAMES) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("¿La ketamina ayuda con el trastorno de estrés postraumático?", "es"),
        ("Hilft Ketamin bei einer posttraumatischen Belastungsstörung?", "de"),
        ("Est-ce que la kétamine aide les personnes traumatisées ?", "fr"),
        ("La ketamina aiuta le persone con disturbo da stress post-traumatico?", "it"),
        ("A cetamina ajuda as pessoas com estresse pós-traumático?", "pt"),
        ("Helpt ketamine bij mensen met een posttraumatische stressstoornis?", "nl"),
        ("Czy ketamina pomaga osobom z zespołem stresu pourazowego?", "pl"),
        ("Travma sonrası stres bozukluğunda ketamin yardımcı olur mu?", "tr"),
        ("Помогает ли кетамин людям с посттравматическим расстройством?", "ru"),
        ("Чи допомагає кетамін людям із посттравматичним розладом?", "uk"),
        ("هل يساعد الكيتامين الأشخاص المصابين باضطراب ما بعد الصدمة؟", "ar"),
        ("氯胺酮对创伤后应激障碍有帮助吗?", "zh"),
        ("ケタミンはPTSDに役立ちますか?", "ja"),
        ("케타민이 외상 후 스트레스 장애에 도움이 되나요?", "ko"),
        ("क्या केटामाइन पीटीएसडी में मदद करता है?", "hi"),
        ("Ketamine có giúp ích cho người bị rối loạn căng thẳng sau sang chấn không?", "vi"),
        ("Nakakatulong ba ang ketamine sa mga taong may matinding trauma?", "tl"),
    ],
)
def test_other_languages_are_seen(text: str, code: str) -> None:
    assert detect(text, NAMES) == code


def test_english_around_a_foreign_word_stays_english() -> None:
    assert detect("My doctor in Berlin said Verhaltenstherapie is better than this, is it?", NAMES) is None


def test_only_the_beginning_is_read() -> None:
    assert detect("Does it help people like me? " * 100 + "¿La ketamina ayuda a las personas?" * 100, NAMES) is None
